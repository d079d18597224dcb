// Copying with one click: codes and commands, wherever a .copyable holds a <code> and a button.

const SHOWN = 1600; // ms

export function watchCopies(announce) {
  document.addEventListener("click", async (event) => {
    const box = event.target.closest(".copyable");
    const button = box?.querySelector("button");
    if (!box || (!button.contains(event.target) && !getSelection().isCollapsed)) return; // selecting by hand
    const code = box.querySelector("code");
    const done = await copy(code.textContent);
    if (!done) getSelection().selectAllChildren(code);
    show(button, done);
    announce(done ? `Copied ${code.textContent}` : "Press Ctrl+C to copy.");
  });
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
  button.textContent = done ? "Copied" : "Ctrl+C";
  button.setAttribute("aria-label", button.textContent);
  button.classList.toggle("done", done);
  button.timer = setTimeout(() => {
    button.textContent = "Copy";
    button.setAttribute("aria-label", button.dataset.label);
    button.classList.remove("done");
  }, SHOWN);
}
