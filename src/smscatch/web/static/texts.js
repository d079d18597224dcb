// The texts of the interface in the page's language, which the server put into it.

const texts = JSON.parse(document.getElementById("texts").textContent);

export const language = document.documentElement.lang;

// Return the text called `name`, with `values` in the place of its placeholders.
export function t(name, values = {}) {
  return texts[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

export function announce(text) {
  document.getElementById("announcer").textContent = text;
}
