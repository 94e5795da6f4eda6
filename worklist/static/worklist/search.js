// Searches by a text that no address contains: the tab stores it, and it is sent in bodies.
import { searchText, storeSearchText } from "./state.js";

// reload: loads the list anew, from its first page on if the text has changed.
export function setUpSearch(reload) {
  const form = /** @type {HTMLFormElement} */ (document.getElementById("search"));
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("text"));
  field.value = searchText();
  const apply = () => {
    if (field.value.trim() === searchText()) return;
    storeSearchText(field.value.trim());
    reload({ fromStart: true });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
    // So that keys move in the list of results.
    field.blur();
  });
  // Emptied by its cross.
  field.addEventListener("search", apply);
  field.addEventListener("change", apply);
}
