"use strict";
// The page is whole without this: it adds the theme switch, values on hover and focus, a way back, and the records.
(() => {
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  // A page opened as a file may have no storage.
  const kept = (act) => {
    try {
      return act(localStorage);
    } catch {
      return null;
    }
  };
  const set = (name) => {
    if (name) root.dataset.theme = name;
    const isDark = name ? name === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    theme.setAttribute("aria-pressed", isDark);
    return isDark;
  };
  set(kept((storage) => storage.getItem("pushoff-theme")));
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const name = set(root.dataset.theme) ? "light" : "dark";
    set(name);
    kept((storage) => storage.setItem("pushoff-theme", name));
  });

  for (const chart of document.querySelectorAll("svg.chart")) {
    const output = chart.closest("figure").querySelector("output");
    const points = [...chart.querySelectorAll(".pt")];
    const say = (point) => {
      output.textContent = point?.dataset.say ?? "";
    };
    const far = (point, event) => {
      const box = point.querySelector(".hit").getBoundingClientRect();
      return Math.hypot(box.x + box.width / 2 - event.clientX, box.y + box.height / 2 - event.clientY);
    };
    const nearest = (event) => points.reduce((best, point) => (!best || far(point, event) < far(best, event) ? point : best), null);
    for (const name of ["pointermove", "pointerdown"]) chart.addEventListener(name, (event) => say(nearest(event)));
    chart.addEventListener("focusin", (event) => event.target.closest(".pt") && say(event.target.closest(".pt")));
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step || !points.length) return;
      event.preventDefault();
      const at = points.indexOf(document.activeElement);
      points[(Math.max(at, step < 0 ? 0 : -1) + step + points.length) % points.length].focus();
    });
  }

  const back = document.getElementById("back");
  document.addEventListener("click", ({ target }) => {
    const link = target.closest('main a[href^="#"]:not([data-record])');
    if (link && !link.closest("nav")) back.hidden = false;
  });
  back.addEventListener("click", () => {
    back.hidden = true;
    history.back();
  });
  const open = () => {
    const at = location.hash && document.getElementById(location.hash.slice(1));
    if (!at) return;
    for (let fold = at.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    at.scrollIntoView({ block: "nearest" });
    if (at.matches("section, details, h3")) at.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();

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
})();
