// The density of the rows, chosen in the menu View and remembered by the browser; preload.js applies it.
const COMPACT = "readfirst.compact";

export function setUpDensity() {
  const box = /** @type {HTMLInputElement} */ (document.getElementById("compact"));
  const root = document.documentElement;
  box.checked = root.classList.contains("compact");
  box.addEventListener("change", () => {
    root.classList.toggle("compact", box.checked);
    localStorage.setItem(COMPACT, box.checked ? "on" : "off");
    document.querySelector("tr.is-selected")?.scrollIntoView({ block: "nearest" });
  });
}
