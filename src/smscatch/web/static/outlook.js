// What stands around the list: the lines to choose from, and how the modems are.

import { AT_TOP, list } from "./list.js";

export function showOutlook(html) {
  const template = document.createElement("template");
  template.innerHTML = html; // our own templates, in which everything from outside is escaped
  const before = list().getBoundingClientRect().top;
  for (const part of [...template.content.children]) {
    const shown = document.getElementById(part.id);
    if (shown.outerHTML !== part.outerHTML) shown.replaceWith(part);
  }
  if (scrollY > AT_TOP) scrollBy({ top: list().getBoundingClientRect().top - before, behavior: "instant" });
  document.getElementById("no-modem")?.toggleAttribute("hidden", !document.getElementById("modems").hidden);
  for (const choice of document.querySelectorAll("#choices [data-line]")) colour(choice);
}

// A new line moves the colours of those behind it.
function colour(choice) {
  const name = choice.querySelector(".dot").className;
  for (const line of list().querySelectorAll(".line")) {
    if (line.querySelector(".number").textContent === choice.dataset.line) line.querySelector(".dot").className = name;
  }
}
