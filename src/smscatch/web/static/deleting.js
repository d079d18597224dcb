// Deleting a message: it is hidden at once and really deleted some seconds later, unless that is undone.

import { announce, t } from "./texts.js";

const PATIENCE = 6000; // ms

export function watchDeleting() {
  const ask = document.getElementById("delete");
  if (!ask) return;
  const parts = { ask, message: document.getElementById("message"), toast: document.getElementById("toast") };
  ask.querySelector("summary").addEventListener("click", (event) => {
    event.preventDefault(); // without this script it asks first
    begin(parts);
  });
}

function begin({ ask, message, toast }) {
  const undo = toast.querySelector("button");
  const remove = () => fetch(`/api/v1/messages/${ask.dataset.id}`, { method: "DELETE", keepalive: true });
  const timer = setTimeout(async () => {
    removeEventListener("pagehide", remove); // or leaving for the list would do it again
    await remove();
    location.replace("/");
  }, PATIENCE);
  addEventListener("pagehide", remove); // whoever leaves meant it
  message.hidden = true;
  toast.hidden = false;
  undo.textContent = t("undo");
  undo.focus();
  undo.onclick = () => {
    clearTimeout(timer);
    removeEventListener("pagehide", remove);
    message.hidden = false;
    toast.hidden = true;
    ask.querySelector("summary").focus();
    announce(t("restored"));
  };
}
