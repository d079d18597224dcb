// The menu closes as menus do: with Escape, or a click elsewhere. What it switches does not cost the page.

const menu = document.getElementById("menu");

export function watchMenu() {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  for (const form of menu.querySelectorAll("[data-class]")) watchSwitch(form);
}

// A new key is shown once: another load of the page would be the end of it.
function watchSwitch(form) {
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wanted = button.value;
    const isOn = wanted === "on";
    document.documentElement.classList.toggle(form.dataset.class, isOn);
    button.value = isOn ? "off" : "on";
    button.textContent = isOn ? form.dataset.on : form.dataset.off;
    menu.open = false;
    menu.querySelector("summary").focus({ focusVisible: false });
    const body = new URLSearchParams({ [button.name]: wanted });
    await fetch(form.action, { method: "POST", body, redirect: "manual", keepalive: true });
  });
}
