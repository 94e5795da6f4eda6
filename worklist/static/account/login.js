// Tells of a caps-lock key that is on, before a password is typed in vain.
import { gettext } from "../common/texts.js";

const hint = document.getElementById("caps-lock");
const field = document.querySelector("input[type='password']");

/** @param {Event} event */
function look(event) {
  if (!hint || !(event instanceof KeyboardEvent || event instanceof MouseEvent)) return;
  const text = event.getModifierState("CapsLock") ? gettext("Caps lock is on.") : "";
  if (hint.textContent !== text) hint.textContent = text;
}

for (const name of ["keydown", "keyup", "mousedown"]) field?.addEventListener(name, look);
