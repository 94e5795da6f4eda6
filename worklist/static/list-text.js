// Searches by a text that stands in no address: it is kept by the tab and sent in bodies.
import { heldText, holdText } from "./list-state.js";

const form = document.getElementById("search");
const field = form.elements.namedItem("text");

// show: shows the list anew, from its first page on if another text is looked for.
export function searchBy(show) {
  field.value = heldText();
  const apply = () => {
    if (field.value.trim() === heldText()) return;
    holdText(field.value.trim());
    show({ fromStart: true });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
    // So that keys walk the list that was found.
    field.blur();
  });
  // Emptied by its cross.
  field.addEventListener("search", apply);
  field.addEventListener("change", apply);
}
