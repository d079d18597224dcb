// Searching as one types: the server finds, the address says what was asked, and the back button leads back.

import { announce, t } from "./texts.js";
import { tell } from "./times.js";
import { list } from "./list.js";

const PAUSE = 200; // ms without typing

const form = document.getElementById("find");
const late = document.getElementById("late");
const PARTS = ["found", "choices"];

// Call `onFound` with the title of the page whenever another list is shown. Return functions: `readAnew` reads the list
// again, `catchUp` does so if it could not be had the last time.
export function watchSearch(onFound) {
  let timer, request, missed;
  let isTyping = false; // one step back for a word, not for each of its letters

  async function load(address) {
    request?.abort();
    missed = undefined;
    const mine = new AbortController();
    request = mine;
    try {
      const answer = await fetch(address, { headers: { accept: "text/html" }, signal: mine.signal });
      if (!answer.ok || answer.redirected) return location.assign(address); // it says why
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine.signal.aborted) return;
      late.hidden = true;
      for (const id of PARTS) document.getElementById(id).replaceWith(page.getElementById(id));
      document.getElementById("title").textContent = page.getElementById("title").textContent;
      list().querySelectorAll("time").forEach(tell);
      const count = list().children.length;
      announce(count ? t("found", { count }) : t("found_none"));
      onFound(page.title);
    } catch (error) {
      if (error.name === "AbortError") return;
      missed = address;
      late.hidden = false;
    }
  }

  function search() {
    clearTimeout(timer);
    const address = addressOf(form);
    if (address === location.pathname + location.search) return;
    history[isTyping ? "replaceState" : "pushState"](null, "", address);
    isTyping = true;
    load(address);
  }

  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (event.target.name === "sender" && event.target.value && isByHand(event)) return; // only the whole name finds
    timer = setTimeout(search, event.target.name === "sender" ? 0 : PAUSE);
  });
  form.addEventListener("change", search);
  form.addEventListener("focusout", () => (isTyping = false));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
    isTyping = false;
  });
  addEventListener("popstate", () => {
    isTyping = false;
    const asked = new URLSearchParams(location.search);
    for (const name of ["contains", "sender"]) form.elements[name].value = asked.get(name) ?? "";
    load(location.pathname + location.search);
  });
  const readAnew = () => load(location.pathname + location.search);
  return { readAnew, catchUp: () => missed && load(missed) };
}

// Rather than chosen from the list.
function isByHand(event) {
  return /^(insert(?!ReplacementText)|delete)/.test(event.inputType);
}

function addressOf(form) {
  const asked = [...new FormData(form)].filter(([, value]) => value);
  return asked.length ? `/?${new URLSearchParams(asked)}` : "/";
}
