// Every page but the list: codes can be copied, times tick, a message can be deleted, and one gets back to the list.

import { watchCopies } from "./copy.js";
import { watchDeleting } from "./deleting.js";
import { watchMenu } from "./menu.js";
import { keepTelling } from "./times.js";

const content = document.getElementById("content");
if (document.getElementById("cards")) (await import("./lines.js")).watchLines(); // before the times tick
keepTelling(content, content.dataset.now);
watchCopies();
watchMenu();
leadBack();
watchDeleting();

// To the list that one came from, with its filters.
function leadBack() {
  const back = document.querySelector(".back a");
  if (!back || !document.referrer) return;
  const from = new URL(document.referrer);
  if (from.origin === location.origin && from.pathname === "/") back.href = from.href;
}
