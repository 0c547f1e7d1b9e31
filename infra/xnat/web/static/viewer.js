"use strict";
// Turns slices in place; without this script the form asks for a whole page instead.
const image = document.getElementById("slice");
const slider = document.getElementById("number");
const presets = document.getElementById("window");
const said = document.getElementById("said");

function show() {
  const query = presets.value ? "?window=" + encodeURIComponent(presets.value) : "";
  image.src = `${image.dataset.base}/${slider.value}.png${query}`;
  said.textContent = image.alt = `Slice ${slider.value} of ${slider.max}`;
}

function turn(event) {
  const steps = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 };
  if (event.target === presets || event.target === slider) return;
  if (event.key in steps) slider.value = Number(slider.value) + steps[event.key];
  else if (event.key === "Home") slider.value = slider.min;
  else if (event.key === "End") slider.value = slider.max;
  else return;
  event.preventDefault();
  show();
}

document.getElementById("show").hidden = true;
slider.addEventListener("input", show);
presets.addEventListener("change", show);
document.addEventListener("keydown", turn);
