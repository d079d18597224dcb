// The list: new messages come in on top, without moving what one is reading.

import { announce, t } from "./texts.js";
import { tell } from "./times.js";

const MAX_ROWS = 500;
export const AT_TOP = 4; // px
const MOST_ON_ICON = 99;
const DELETED = "smscatch-deleted"; // see deleting.js

const state = document.getElementById("state");
const pill = document.getElementById("pill");
const icon = document.getElementById("icon");
const PLAIN_ICON = icon.href;
let title = document.title;
let unread = 0;
const gone = new Set();

export const list = () => document.getElementById("messages"); // a search puts another in its place
const isReading = () => scrollY > AT_TOP || !("newest" in list().dataset);

// Show a message that came; return its row, or null if it is no news.
export function show(html) {
  const template = document.createElement("template");
  template.innerHTML = html; // our own row template, in which everything from outside is escaped
  const row = template.content.firstElementChild;
  row.querySelectorAll("time").forEach(tell);
  const known = document.getElementById(row.id);
  if (known) {
    known.replaceWith(row);
    return null;
  }
  if ("newest" in list().dataset) insertOnTop(row); // otherwise it is older pages that are looked at
  if (isReading() || document.hidden) count(unread + 1);
  const sender = row.querySelector(".sender").textContent;
  const code = row.querySelector(".code code")?.textContent;
  announce(code ? t("arrived_code", { sender, code }) : t("arrived", { sender }));
  return row;
}

function insertOnTop(row) {
  document.getElementById("welcome")?.remove();
  row.classList.add("new");
  const before = list().scrollHeight;
  list().prepend(row);
  // Not left to the browser's scroll anchoring: Safari has none.
  if (isReading()) scrollBy({ top: list().scrollHeight - before, behavior: "instant" });
  else trim();
}

// Let go of what is far below; the way to it begins behind the last row then.
function trim() {
  if (list().children.length <= MAX_ROWS) return;
  while (list().children.length > MAX_ROWS) list().lastElementChild.remove();
  const older = document.querySelector("#pager [rel=next]") ?? linkToOlder();
  const address = new URL(location.href);
  address.searchParams.set("before", list().lastElementChild.dataset.cursor);
  older.href = address;
}

// Until now everything was in the list.
function linkToOlder() {
  const link = Object.assign(document.createElement("a"), { className: "button", rel: "next", textContent: t("older") });
  const pager = document.getElementById("pager");
  pager.querySelector(".hint")?.remove();
  pager.append(link);
  return link;
}

// Whoever leaves a message that is about to be deleted may be here sooner than that is done.
export function hideDeleted() {
  const id = sessionStorage.getItem(DELETED);
  if (!id) return;
  sessionStorage.removeItem(DELETED);
  gone.add(`m-${id}`);
  document.getElementById(`m-${id}`)?.remove();
}

export const isGone = (rowId) => gone.has(rowId);

function count(number) {
  unread = number;
  pill.hidden = !(unread && isReading());
  pill.textContent = t("new", { count: unread });
  document.title = unread ? `(${unread}) ${title}` : title;
  icon.href = unread ? `/icon/${Math.min(unread, MOST_ON_ICON)}.svg` : PLAIN_ICON;
}

// Another list is shown, which has a title of its own.
export function restart(name) {
  title = name;
  count(0);
}

function seen() {
  if (!isReading() && !document.hidden) count(0);
}

export function tellState(name) {
  if (state.dataset.state === name) return;
  Object.assign(state, { textContent: t(name), title: t(`${name}_hint`), hidden: false });
  state.dataset.state = name;
  if (name === "out") state.replaceChildren(linkToLogin());
}

function linkToLogin() {
  const here = encodeURIComponent(location.pathname + location.search);
  return Object.assign(document.createElement("a"), { href: `/login?next=${here}`, textContent: t("out") });
}

export function watchReading() {
  pill.addEventListener("click", () => {
    const newest = document.querySelector("#pager [data-newest]");
    if (newest) {
      location.assign(newest.href);
      return;
    }
    list().focus({ preventScroll: true });
    scrollTo({ top: 0 });
  });
  addEventListener("pageshow", (event) => event.persisted && hideDeleted());
  addEventListener("scroll", seen, { passive: true });
  document.addEventListener("visibilitychange", seen);
}
