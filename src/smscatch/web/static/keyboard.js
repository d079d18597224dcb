// The list by keyboard. Whoever speaks to the computer can switch single keys off (WCAG 2.1.4).

import { copyFrom } from "./copy.js";
import { note, t } from "./texts.js";
import { list } from "./list.js";

const OFF = "smscatch-single-keys-off";

const help = document.getElementById("help");
const field = document.querySelector("#find [name=contains]");

const current = () => document.activeElement.closest?.("#messages > li");

function move(step) {
  const row = current();
  const beside = step > 0 ? row?.nextElementSibling : row?.previousElementSibling;
  const target = row ? beside : firstInView();
  if (!target) return;
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: "nearest" });
}

function firstInView(selector = "li") {
  const isBelowBar = (row) => row.matches(selector) && row.getBoundingClientRect().bottom > 80;
  return [...list().children].find(isBelowBar);
}

function copyCode() {
  const row = current() ?? firstInView(":has(.code)");
  const box = row?.querySelector(".code.copyable");
  if (!box) return note(t("no_code"));
  row.scrollIntoView({ block: "nearest" }); // what it says of copying is to be seen
  copyFrom(box);
}

export function openHelp() {
  document.getElementById("menu").open = false;
  if (!help.open) help.showModal();
}

const ACTIONS = {
  "/": () => field.select(),
  j: () => move(1),
  k: () => move(-1),
  c: copyCode,
  "?": openHelp,
};

function isTyping(target) {
  return target.matches("input:not([type=checkbox]), textarea, select");
}

export function watchKeys() {
  const single = document.getElementById("single-keys");
  single.checked = !localStorage.getItem(OFF);
  single.addEventListener("change", () => {
    if (single.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
  const shortcuts = document.getElementById("shortcuts");
  shortcuts.hidden = false;
  shortcuts.addEventListener("click", openHelp);
  help.addEventListener("click", (event) => event.target === help && help.close()); // beside it
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open) return;
    if (event.key === "Escape" && isTyping(event.target)) {
      event.preventDefault(); // or the browser would empty the field, but not the search
      event.target.blur();
    }
    else if (event.key === "Enter" && event.target.matches("#messages > li")) event.target.querySelector(".when").click();
    else if (ACTIONS[event.key] && single.checked && !isTyping(event.target)) {
      event.preventDefault();
      ACTIONS[event.key]();
    }
  });
}
