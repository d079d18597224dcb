// Times as people say them: "12 s ago", ticking; the exact time, in the reader's zone, on hover.

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const UNITS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86_400, 3600, "h"],
  [7 * 86_400, 86_400, "d"],
];
let ahead = 0; // ms by which the server's clock is before ours: a Raspberry Pi has none of its own

export function tell(time) {
  const then = new Date(time.dateTime);
  const text = ago((Date.now() + ahead - then) / 1000) ?? day.format(then);
  if (time.textContent === text) return;
  time.textContent = text;
  time.title = exact.format(then);
}

export function keepTelling(list) {
  ahead = new Date(list.dataset.now) - Date.now();
  const all = () => document.hidden || list.querySelectorAll("time").forEach(tell);
  all();
  setInterval(all, 1000);
  document.addEventListener("visibilitychange", all);
}

function ago(seconds) {
  if (seconds < 5) return "now";
  const unit = UNITS.find(([limit]) => seconds < limit);
  return unit && `${Math.floor(seconds / unit[1])} ${unit[2]} ago`;
}
