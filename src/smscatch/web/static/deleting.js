// Deleting a message: it is hidden at once and really deleted some seconds later, unless that is undone.

import { announce, t } from "./texts.js";

export const PATIENCE = 6000; // ms
const DELETED = "smscatch-deleted"; // what the list leaves out, though the server may not have done it yet

export function watchDeleting() {
  const ask = document.getElementById("delete");
  if (!ask) return;
  const parts = { ask, message: document.getElementById("message"), toast: document.getElementById("toast") };
  ask.querySelector("summary").addEventListener("click", (event) => {
    event.preventDefault(); // without this script it asks first
    begin(parts);
  });
}

function begin(parts) {
  const { ask, toast } = parts;
  const undo = toast.querySelector("button");
  const remove = () => fetch(`/api/v1/messages/${ask.dataset.id}`, { method: "DELETE", keepalive: true });
  const leave = () => {
    sessionStorage.setItem(DELETED, ask.dataset.id);
    remove();
  };
  const stop = () => removeEventListener("pagehide", leave); // or leaving for the list would do it again
  const timer = setTimeout(async () => {
    const reason = await failureOf(remove); // whoever leaves meanwhile finds a list without it, and asks twice
    stop();
    if (!reason) return location.replace(document.querySelector(".back a").href);
    showMessage(parts, true);
    toast.hidden = false;
    undo.hidden = true;
    toast.querySelector("span").textContent = t("delete_failed", { reason });
  }, PATIENCE);
  addEventListener("pagehide", leave); // whoever leaves meant it
  showMessage(parts, false);
  toast.querySelector("span").textContent = t("deleted");
  undo.hidden = false;
  undo.textContent = t("undo");
  undo.focus();
  undo.onclick = () => {
    clearTimeout(timer);
    stop();
    showMessage(parts, true);
    announce(t("restored"));
  };
}

function showMessage({ ask, message, toast }, isShown) {
  message.hidden = !isShown;
  toast.hidden = isShown;
  if (isShown) ask.querySelector("summary").focus();
}

// Return why it did not work, or null. What is gone already is deleted too.
export async function failureOf(remove) {
  try {
    const answer = await remove();
    if (answer.ok || answer.status === 404) return null;
    return answer.status === 401 ? t("signed_out") : (await answer.json()).message;
  } catch {
    return t("no_answer");
  }
}
