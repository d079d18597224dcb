// Older messages join the end of the list as one comes near it; whoever comes back finds the place again.

import { announce, t, tellState } from "./texts.js";
import { tell } from "./times.js";
import { isGone, list } from "./list.js";

const NEAR = "800px";
const MAX_PAGES_BACK = 25;

let isLoading = false;

const next = () => document.querySelector("#pager [rel=next]");

// Add the next page; return whether there was one.
async function add() {
  const link = next();
  if (!link || isLoading) return false;
  isLoading = true;
  try {
    const answer = await fetch(link.href, { headers: { accept: "text/html" } });
    if (answer.redirected) tellState("out"); // it is the login
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (link !== next()) return false; // another list is shown by now
    const rows = [...page.querySelectorAll("#messages > li")].filter(isNew);
    for (const row of rows) row.querySelectorAll("time").forEach(tell);
    list().append(...rows);
    const further = page.querySelector("#pager [rel=next]");
    if (further) link.href = further.getAttribute("href");
    else link.replaceWith(page.querySelector("#pager .hint"));
    return true;
  } catch {
    announce(t("older_failed"));
    return false; // the link is there still
  } finally {
    isLoading = false;
  }
}

const isNew = (row) => !document.getElementById(row.id) && !isGone(row.id);

export function watchEnd() {
  const watcher = new IntersectionObserver(
    async (entries) => {
      const link = next();
      if (!link || !entries.some((entry) => entry.isIntersecting) || !(await add())) return;
      watch(); // observing anew tells again if it is near still
    },
    { rootMargin: NEAR },
  );
  const watch = () => {
    watcher.disconnect();
    if (next()) watcher.observe(next());
  };
  watch();
  return watch;
}

// Remember which message was opened, so that coming back finds it though it stands pages below.
export function keepPlace() {
  document.addEventListener("click", (event) => {
    const row = event.target.closest("a.when")?.closest("li");
    if (row) history.replaceState({ row: row.id }, "");
  });
}

export async function findPlace() {
  const id = history.state?.row;
  if (!id) return;
  history.replaceState(null, ""); // loading the page again is no coming back
  if (isGone(id)) return;
  for (let pages = 0; !document.getElementById(id) && pages < MAX_PAGES_BACK && (await add()); pages++);
  const row = document.getElementById(id);
  row?.scrollIntoView({ block: "center", behavior: "instant" });
  row?.focus({ preventScroll: true });
}
