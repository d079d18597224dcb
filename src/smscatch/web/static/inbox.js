// The live list: new messages come in on top, without moving what one is reading.

import { follow } from "./stream.js";
import { watchCopies } from "./copy.js";
import { keepTelling, tell } from "./times.js";

const MAX_ROWS = 500;
const AT_TOP = 4; // px
const TITLE = document.title;
const STATES = {
  live: ["Live", "New texts appear by themselves."],
  reconnecting: ["Reconnecting…", "The server does not answer. What arrives meanwhile is shown afterwards."],
  out: ["Signed out", "Sign in again to see new texts."],
};

const list = document.getElementById("messages");
const state = document.getElementById("state");
const pill = document.getElementById("pill");
const announcer = document.getElementById("announcer");
let unread = 0;

const isReading = () => window.scrollY > AT_TOP;

function announce(text) {
  announcer.textContent = text;
}

function show(html) {
  const template = document.createElement("template");
  template.innerHTML = html; // our own row template, in which everything from outside is escaped
  const row = template.content.firstElementChild;
  tell(row.querySelector("time"));
  const known = document.getElementById(row.id);
  if (known) {
    known.replaceWith(row);
    return;
  }
  document.getElementById("welcome")?.remove();
  insertOnTop(row);
  if (isReading() || document.hidden) count(unread + 1);
  const code = row.querySelector(".code code");
  announce(`New from ${row.querySelector(".sender").textContent}${code ? `, code ${code.textContent}` : ""}`);
}

function insertOnTop(row) {
  row.classList.add("new");
  const before = list.scrollHeight;
  list.prepend(row);
  // Not left to the browser's scroll anchoring: Safari has none.
  if (isReading()) window.scrollBy({ top: list.scrollHeight - before, behavior: "instant" });
  while (list.children.length > MAX_ROWS) list.lastElementChild.remove();
}

function count(number) {
  unread = number;
  pill.hidden = !(unread && isReading());
  pill.textContent = `${unread} new`;
  document.title = unread ? `(${unread}) ${TITLE}` : TITLE;
}

function seen() {
  if (!isReading() && !document.hidden) count(0);
}

function tellState(name) {
  const [text, explanation] = STATES[name];
  if (state.dataset.state === name) return;
  Object.assign(state, { textContent: text, title: explanation, hidden: false });
  state.dataset.state = name;
}

pill.addEventListener("click", () => {
  list.focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
});
addEventListener("scroll", seen, { passive: true });
document.addEventListener("visibilitychange", seen);
keepTelling(list);
watchCopies(announce);
follow(list.dataset.stream, show, tellState);
