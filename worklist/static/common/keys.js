// Keys of a page: its elements name theirs by `data-key`, several with spaces between them, and open
// dialogs by `data-opens`.

// Where letters are typed or choose something; on the slider of the heat map they do neither.
const TYPING = "input:not([type=range], [type=checkbox]), textarea, select, [contenteditable]";

export const isTyping = (target) => target instanceof HTMLElement && target.matches(TYPING);

// The key of an event; a letter is the same as a capital, as with Caps Lock.
export const keyOf = (event) => event.key.toLowerCase();

// Clicks the first element of the document that has this key. Returns true if there is one.
export function press(key) {
  /** @type {HTMLElement[]} */
  const candidates = Array.from(document.querySelectorAll("[data-key]:not([hidden])"));
  const target = candidates.find((element) => element.dataset.key.split(" ").includes(key));
  target?.click();
  return Boolean(target);
}

export function setUpKeys() {
  document.addEventListener("keydown", (event) => {
    if (isTyping(event.target) && event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (document.querySelector("dialog[open]")) return;
    if (press(keyOf(event))) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const opener = /** @type {Partial<HTMLElement>} */ (event.target).closest?.("[data-opens]");
    if (!(opener instanceof HTMLElement)) return;
    /** @type {HTMLDialogElement} */ (document.getElementById(opener.dataset.opens)).showModal();
  });
}
