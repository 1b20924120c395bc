"use strict";
// Shows the plan of the stops that the sliders stand at. Rust made all plans and wrote every figure and sentence;
// this script looks one up.
(async () => {
  const section = document.getElementById("planner");
  const packed = Uint8Array.from(atob(document.getElementById("planner-plans").textContent), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const { texts, blocks, plans, stops } = await new Response(unpacked).json();

  const sliders = [...section.querySelectorAll("[type=range]")];
  const places = [...section.querySelectorAll("[data-block]")].map((block) => [...block.querySelectorAll("[data-slot]")]);
  const show = () => {
    sliders.forEach((slider, at) => {
      const text = stops[at][slider.value];
      slider.setAttribute("aria-valuetext", text);
      document.getElementById(`${slider.id}-stop`).textContent = text;
    });
    const number = sliders.reduce((sum, slider, at) => sum * stops[at].length + Number(slider.value), 0);
    places.forEach((slots, at) => {
      blocks[plans[number][at]].forEach((text, slot) => {
        slots[slot].innerHTML = texts[text];
      });
    });
  };
  const form = document.getElementById("planner-needs");
  form.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  // A browser may have kept the sliders where they were.
  show();

  const copy = document.getElementById("planner-copy");
  copy.hidden = false;
  form.addEventListener("input", () => {
    copy.textContent = "Copy";
  });
  copy.addEventListener("click", async () => {
    const command = document.getElementById("planner-command");
    getSelection().selectAllChildren(command);
    try {
      await navigator.clipboard.writeText(command.textContent);
      copy.textContent = "Copied";
    } catch {
      // Without a clipboard, or where the reader refuses it.
      copy.textContent = "Selected";
    }
  });
})();
