// The texts of the interface in the page's language, which the server put into it.

const texts = JSON.parse(document.getElementById("texts").textContent);

export const language = document.documentElement.lang;

// Return the text called `name`, with `values` in the place of its placeholders.
export function t(name, values = {}) {
  return texts[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

const SHOWN = 2500; // ms
let timer;

// Say something that is to be seen too, where there is a place for it.
export function note(text) {
  announce(text);
  const box = document.getElementById("note");
  if (!box) return;
  box.textContent = text;
  box.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => (box.hidden = true), SHOWN);
}

export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

// Say how the connection to the server is.
export function tellState(name) {
  const state = document.getElementById("state");
  if (state.dataset.state === name) return;
  Object.assign(state, { textContent: t(name), title: t(`${name}_hint`), hidden: false });
  state.dataset.state = name;
  if (name === "out") state.replaceChildren(linkToLogin());
}

function linkToLogin() {
  const here = encodeURIComponent(location.pathname + location.search);
  return Object.assign(document.createElement("a"), { href: `/login?next=${here}`, textContent: t("out") });
}
