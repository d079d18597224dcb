// The page of the lines follows what happens to them; what one has opened stays open.

import { follow } from "./stream.js";
import { tellState } from "./texts.js";
import { tell } from "./times.js";

const cards = document.getElementById("cards");
const shown = new Map(); // the parts as the server last sent them: the times in the page tick

export function watchLines() {
  remember(cards);
  const nothing = () => {};
  follow(cards.dataset.stream, {
    onRows: nothing,
    onDeleted: nothing,
    onOutlook: show,
    onState: tellState,
    staysOn: () => false,
  });
}

function remember(root) {
  shown.clear();
  for (const part of root.querySelectorAll("[data-part]")) shown.set(part.id, part.outerHTML);
}

function show(html) {
  const template = document.createElement("template");
  template.innerHTML = html; // our own templates, in which everything from outside is escaped
  const idsIn = (root) => [...root.querySelectorAll(".card-line")].map((card) => card.id).join();
  if (idsIn(template.content) === idsIn(cards)) template.content.querySelectorAll("[data-part]").forEach(renew);
  else {
    remember(template.content);
    const open = new Set([...cards.querySelectorAll(".card-line[open]")].map((card) => card.id));
    for (const card of template.content.querySelectorAll(".card-line"))
      if (document.getElementById(card.id)) card.open = open.has(card.id);
    cards.replaceChildren(template.content); // there is another line
  }
  cards.querySelectorAll("time").forEach(tell);
}

function renew(part) {
  if (shown.get(part.id) === part.outerHTML) return;
  shown.set(part.id, part.outerHTML);
  document.getElementById(part.id).replaceWith(part);
}
