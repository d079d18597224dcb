// Deleting what a filter shows: out of sight at once, really deleted some seconds later, unless that is undone. Unlike
// with one message, whoever leaves keeps them: this may be many.

import { failureOf, PATIENCE } from "./deleting.js";
import { isGone, list } from "./list.js";
import { announce, note, t } from "./texts.js";

const toast = document.getElementById("toast");
const undo = toast.querySelector("button");
const relabelling = new MutationObserver(relabel);
let keep = () => {}; // gives up the deletion that waits

addEventListener("pagehide", () => keep());
undo.addEventListener("click", () => keep());

// Say how many the list has that is shown now.
export function watchClearing() {
  keep();
  relabelling.disconnect();
  if (document.getElementById("clear")) relabelling.observe(list(), { childList: true });
}

// Texts come and go; what is deleted is what is shown at the click.
function relabel() {
  const count = list().children.length;
  const ask = document.getElementById("clear");
  ask.hidden = !count;
  const hasOlder = document.querySelector("#pager [rel=next]") !== null;
  ask.querySelector("summary").textContent = hasOlder ? t("delete_all") : t("delete_shown", { count });
}

// Delete what is shown, which `ask` offers. `readAnew` reads the list again.
export function begin(ask, readAnew) {
  keep(); // one that waits goes into this one
  const rows = [...list().children];
  const address = new URL(ask.querySelector("form").action);
  const positions = [address.searchParams.get("up_to"), ...rows.map((row) => row.dataset.cursor)];
  address.searchParams.set("up_to", positions.map(Number).reduce((one, other) => Math.max(one, other)));
  const restore = hide(rows);
  const timer = setTimeout(async () => {
    keep = () => {};
    undo.hidden = true;
    let answer;
    const remove = async () =>
      (answer = await fetch(address, { method: "POST", headers: { accept: "application/json" } }));
    const reason = await failureOf(remove);
    if (reason) {
      restore();
      say(t("delete_shown_failed", { reason }));
      return;
    }
    toast.hidden = true;
    readAnew();
    note(t("deleted_shown", { count: answer.ok ? (await answer.json()).deleted : 0 }));
  }, PATIENCE);
  keep = () => {
    keep = () => {};
    clearTimeout(timer);
    restore();
    toast.hidden = true;
    announce(t("kept"));
  };
  say(t("deleting_shown"));
  undo.textContent = t("undo");
  undo.hidden = false;
  undo.focus();
}

// Take rows out of the list, and the ways to more of them; return what puts them back, below what came meanwhile.
function hide(rows) {
  const shown = list();
  const pager = document.getElementById("pager");
  for (const row of rows) row.remove();
  pager.hidden = true;
  return () => {
    shown.append(...rows.filter((row) => !isGone(row.id) && !document.getElementById(row.id)));
    pager.hidden = false;
  };
}

function say(text) {
  toast.querySelector("span").textContent = text;
  toast.hidden = false;
}
