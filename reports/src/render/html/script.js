"use strict";
// The page is whole without this: it adds the theme switch, values on focus, and the records.
(() => {
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const set = root.dataset.theme;
    const dark = set ? set === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  const say = (point) => {
    const output = point.closest("figure").querySelector("output");
    if (output) output.textContent = point.dataset.say;
  };
  for (const chart of document.querySelectorAll("svg.chart")) {
    const points = [...chart.querySelectorAll(".pt")];
    const of = (event) => event.target.closest(".pt");
    chart.addEventListener("pointerover", (event) => of(event) && say(of(event)));
    chart.addEventListener("focusin", (event) => of(event) && say(of(event)));
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step || !points.length) return;
      event.preventDefault();
      const at = points.indexOf(document.activeElement);
      points[(Math.max(at, step < 0 ? 0 : -1) + step + points.length) % points.length].focus();
    });
  }

  const lines = document.getElementById("lines");
  if (!lines) return;
  let unpacked;
  const text = () => {
    const bytes = () => Uint8Array.from(atob(lines.textContent), (letter) => letter.charCodeAt(0));
    const stream = () => new Blob([bytes()]).stream().pipeThrough(new DecompressionStream("gzip"));
    unpacked ??= new Response(stream()).text();
    return unpacked;
  };
  const save = document.getElementById("save");
  save.addEventListener("click", async (event) => {
    if (save.href.startsWith("blob:")) return;
    event.preventDefault();
    save.href = URL.createObjectURL(new Blob([await text()], { type: "application/x-ndjson" }));
    save.click();
  });
  const dialog = document.getElementById("record");
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-record]");
    if (!link) return;
    event.preventDefault();
    const record = JSON.parse((await text()).split("\n")[link.dataset.record]);
    dialog.querySelector("pre").textContent = JSON.stringify(record, null, 2);
    dialog.showModal();
  });
  const open = () => {
    const at = location.hash && document.getElementById(location.hash.slice(1));
    const details = at && at.closest("details");
    if (details && !details.open) {
      details.open = true;
      at.scrollIntoView();
    }
  };
  addEventListener("hashchange", open);
  open();
})();
