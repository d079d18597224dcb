// Notifications while the page is in the background; asked for on a click only, and kept per browser.

import { t } from "./texts.js";

const ON = "smscatch-notify";
const SHOWN = 120; // characters of a text
const MOST_AT_ONCE = 3;

const button = document.getElementById("notify");
const canNotify = "Notification" in window && isSecureContext; // browsers have it over HTTPS only
const isOn = () => canNotify && Notification.permission === "granted" && localStorage.getItem(ON) === "on";

// Return a function that notifies of rows, if that is wanted: of the newest ones, in a burst.
export function watchNotifying() {
  if (!canNotify) return () => {};
  button.hidden = false;
  tellButton();
  button.addEventListener("click", async () => {
    const wasOn = isOn();
    if (!wasOn && (await Notification.requestPermission()) !== "granted") {
      button.textContent = t("notify_refused");
      button.disabled = true;
      return;
    }
    localStorage.setItem(ON, wasOn ? "off" : "on");
    tellButton();
  });
  return (rows) => {
    if (isOn() && document.hidden) rows.slice(-MOST_AT_ONCE).forEach(notify);
  };
}

// Whether this tab notifies while it is hidden: one does, for all there are.
export function staysOn() {
  if (!isOn()) return false;
  return new Promise((answer) => {
    navigator.locks.request(ON, { ifAvailable: true }, (lock) => {
      answer(lock !== null);
      return lock && new Promise((release) => document.addEventListener("visibilitychange", release, { once: true }));
    });
  });
}

function tellButton() {
  button.textContent = isOn() ? t("notify_on") : t("notify_off");
  button.setAttribute("aria-pressed", isOn());
}

function notify(row) {
  const code = row.querySelector(".code code")?.textContent;
  const text = row.querySelector(".text").textContent;
  const isVeiled = code && document.documentElement.classList.contains("veiled");
  const body = isVeiled ? row.querySelector(".line").textContent : code ? t("notify_code", { code }) : text.slice(0, SHOWN);
  const shown = new Notification(row.querySelector(".sender").textContent, {
    body,
    tag: row.id,
    icon: "/static/icon-192.png",
  });
  shown.addEventListener("click", () => {
    window.focus();
    shown.close();
  });
}
