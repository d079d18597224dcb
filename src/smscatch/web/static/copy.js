// Copying with one click: codes and commands, wherever a .copyable holds a <code> and a button.

import { announce, t } from "./texts.js";

const SHOWN = 1600; // ms

export function watchCopies() {
  document.addEventListener("click", (event) => {
    const box = event.target.closest(".copyable");
    if (!box) return;
    const isSelecting = !getSelection().isCollapsed && !box.querySelector("button").contains(event.target);
    if (!isSelecting) copyFrom(box);
  });
}

export async function copyFrom(box) {
  const code = box.querySelector("code");
  const done = await copy(code.textContent);
  if (!done) getSelection().selectAllChildren(code);
  show(box.querySelector("button"), done);
  announce(done ? t("copied_code", { code: code.textContent }) : t("copy_by_hand_hint"));
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOldWay(text); // browsers have no navigator.clipboard over plain HTTP, except on localhost
  }
}

function copyOldWay(text) {
  const focused = document.activeElement;
  const area = Object.assign(document.createElement("textarea"), { className: "unseen", value: text, readOnly: true });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus({ preventScroll: true });
  return done;
}

function show(button, done) {
  clearTimeout(button.timer);
  button.dataset.label ||= button.getAttribute("aria-label");
  button.textContent = done ? t("copied") : t("copy_by_hand");
  button.setAttribute("aria-label", button.textContent);
  button.classList.toggle("done", done);
  button.timer = setTimeout(() => {
    button.textContent = t("copy");
    button.setAttribute("aria-label", button.dataset.label);
    button.classList.remove("done");
  }, SHOWN);
}
