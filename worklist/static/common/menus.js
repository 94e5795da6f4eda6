// Menus: one is open at a time, and a click elsewhere or Escape closes it.
export function setUpMenus() {
  /** @type {HTMLDetailsElement[]} */
  const menus = Array.from(document.querySelectorAll("details.menu"));
  document.addEventListener("click", (event) => {
    const clicked = /** @type {Element} */ (event.target).closest("details.menu");
    for (const menu of menus) if (menu !== clicked) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const open = menus.find((menu) => menu.open);
    if (event.key !== "Escape" || !open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
}
