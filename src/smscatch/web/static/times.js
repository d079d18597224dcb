// Times as people say them: "12 s ago", ticking; the exact time, in the reader's zone, on hover. With data-exact the
// other way round.

import { language, t } from "./texts.js";

const locale = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language; // en-GB rather than en
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "long" });
const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
const UNITS = [
  [60, 1, "seconds"],
  [3600, 60, "minutes"],
  [86_400, 3600, "hours"],
  [7 * 86_400, 86_400, "days"],
];
let ahead = 0; // ms by which the server's clock is before ours: a Raspberry Pi has none of its own

export function tell(time) {
  const then = new Date(time.dateTime);
  const isExact = "exact" in time.dataset;
  const text = isExact ? moment.format(then) : ago((Date.now() + ahead - then) / 1000) ?? day.format(then);
  if (time.textContent === text) return;
  time.textContent = text;
  time.title ||= exact.format(then);
}

// Keep all times in `root` right; `now` is what the server's clock said when it made the page.
export function keepTelling(root, now) {
  ahead = now ? new Date(now) - Date.now() : 0;
  const all = () => document.hidden || root.querySelectorAll("time").forEach(tell);
  all();
  setInterval(all, 1000);
  document.addEventListener("visibilitychange", all);
}

function ago(seconds) {
  if (seconds < 5) return t("now");
  const unit = UNITS.find(([limit]) => seconds < limit);
  return unit && t(unit[2], { count: Math.floor(seconds / unit[1]) });
}
