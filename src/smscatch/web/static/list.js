// The list: new messages come in on top, without moving what one is reading.

import { announce, t } from "./texts.js";
import { tell } from "./times.js";

const MAX_ROWS = 500;
const MOST_GLOWING = 8;
const SAYING = 1000; // ms between two announcements
export const AT_TOP = 4; // px
const MOST_ON_ICON = 99;
const DELETED = "smscatch-deleted"; // see deleting.js

const pill = document.getElementById("pill");
const icon = document.getElementById("icon");
const PLAIN_ICON = icon.getAttribute("href");
let title = document.title;
let unread = 0;
let unsaid = [];
let isSaid = false;
const gone = new Set();

export const list = () => document.getElementById("messages"); // a search puts another in its place
const isReading = () => scrollY > AT_TOP || !("newest" in list().dataset);

// Show messages that came, the oldest first; return the rows of those that are news.
export function show(htmls) {
  const template = document.createElement("template");
  template.innerHTML = htmls.join(""); // our own row template, in which everything from outside is escaped
  template.content.querySelectorAll("time").forEach(tell);
  const rows = new Map([...template.content.children].map((row) => [row.id, row])); // of two versions the later one
  const fresh = [...rows.values()].filter((row) => !isGone(row.id) && !replaceKnown(row));
  if (!fresh.length) return fresh;
  const isAway = isReading() || document.hidden;
  if ("newest" in list().dataset) insertOnTop(fresh); // otherwise it is older pages that are looked at
  if (isAway) count(unread + fresh.length);
  tellArrivals(fresh);
  return fresh;
}

function replaceKnown(row) {
  const known = document.getElementById(row.id);
  known?.replaceWith(row);
  return known !== null;
}

// One insertion for all; the layout is asked for only where the place in the list has to be held.
function insertOnTop(rows) {
  document.getElementById("welcome")?.remove();
  glow(rows);
  const isHeld = isReading();
  const before = isHeld && list().scrollHeight;
  list().prepend(...rows.toReversed());
  // Not left to the browser's scroll anchoring: Safari has none.
  if (isHeld) scrollBy({ top: list().scrollHeight - before, behavior: "instant" });
  else trim();
}

// A few rows glow: each that does is painted anew in every frame.
function glow(rows) {
  const free = MOST_GLOWING - list().getElementsByClassName("new").length;
  if (free <= 0) return;
  for (const row of rows.slice(-free)) {
    row.classList.add("new");
    row.addEventListener("animationend", () => row.classList.remove("new"), { once: true });
  }
}

// In a burst say how many there were, not each: a screen reader would read for minutes.
function tellArrivals(rows) {
  unsaid.push(...rows);
  if (isSaid) return;
  const row = unsaid.at(-1);
  const values = { count: unsaid.length, sender: senderOf(row), code: codeOf(row) };
  announce(t(values.count > 1 ? "arrived_many" : values.code ? "arrived_code" : "arrived", values));
  unsaid = [];
  isSaid = true;
  setTimeout(() => {
    isSaid = false;
    if (unsaid.length) tellArrivals([]);
  }, SAYING);
}

const senderOf = (row) => row.querySelector(".sender").textContent;
const codeOf = (row) => row.querySelector(".code code")?.textContent;

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
  forget(id);
}

// Take a message out, also one whose row is still to come.
export function forget(id) {
  gone.add(`m-${id}`);
  document.getElementById(`m-${id}`)?.remove();
}

export const isGone = (rowId) => gone.has(rowId);

function count(number) {
  unread = number;
  pill.hidden = !(unread && isReading());
  pill.textContent = t("new", { count: unread });
  document.title = unread ? `(${unread}) ${title}` : title;
  const address = unread ? `/icon/${Math.min(unread, MOST_ON_ICON)}.svg` : PLAIN_ICON;
  if (icon.getAttribute("href") !== address) icon.href = address; // setting it fetches it
}

// Another list is shown, which has a title of its own.
export function restart(name) {
  title = name;
  count(0);
}

function seen() {
  if (!isReading() && !document.hidden) count(0);
}

// A whole row leads to its message; but not what does something of its own, nor a text that one marks to copy it.
function openRow(event) {
  const row = event.target.closest("#messages > li");
  if (!row || event.target.closest("a, button, .copyable") || !getSelection().isCollapsed) return;
  const { ctrlKey, metaKey, shiftKey } = event; // in a tab of its own, as with any link
  const options = { bubbles: true, cancelable: true, ctrlKey, metaKey, shiftKey };
  row.querySelector(".when").dispatchEvent(new MouseEvent("click", options));
}

// A long text shows its first lines.
function unfold(event) {
  const button = event.target.closest(".more");
  if (!button) return;
  const isWhole = button.closest("li").classList.toggle("whole");
  button.setAttribute("aria-expanded", isWhole);
  button.textContent = t(isWhole ? "less" : "more");
}

export function watchReading() {
  document.addEventListener("click", openRow);
  document.addEventListener("click", unfold);
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
