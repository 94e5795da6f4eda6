// Saved filters as tabs of the list: kept with the account, or by the browser where there are none.
import { gettext } from "../../common/texts.js";

const FILTERS = "readfirst.filters";
const MOST = 12;

/** @type {{ name: string, address: string }[]} */
let filters = [];

const nav = () => document.getElementById("saved-filters");
const saveButton = () => /** @type {HTMLButtonElement} */ (document.getElementById("save-filter"));
const editButton = () => /** @type {HTMLButtonElement} */ (document.getElementById("edit-filters"));
const dialog = () => /** @type {HTMLDialogElement} */ (document.getElementById("filters-dialog"));

const isOfAccount = () => nav().dataset.filters !== undefined;

// The address of this list from its first page on. It never holds the text that is searched for.
function currentAddress() {
  const query = new URLSearchParams(location.search);
  for (const name of ["cursor", "before"]) query.delete(name);
  return query.size ? `/?${query}` : "/";
}

// In one order, so that the same filters are one address.
const normal = (address) => {
  const query = new URL(address, location.origin).searchParams;
  query.sort();
  return query.toString();
};

const isCurrent = (filter) => normal(filter.address) === normal(currentAddress());

export function setUpSavedFilters() {
  filters = JSON.parse((isOfAccount() ? nav().dataset.filters : localStorage.getItem(FILTERS)) ?? "[]");
  saveButton().addEventListener("click", () => {
    dialog().showModal();
    change([...filters, { name: defaultName(), address: currentAddress() }], filters.length);
  });
  editButton().addEventListener("click", () => dialog().showModal());
  renderTabs();
  renderDialog();
}

// In the words of the filters that are chosen.
function defaultName() {
  const chosen = Array.from(document.querySelectorAll(".filters nav a[aria-current]"), (link) => link.textContent.trim());
  return chosen.join(", ").slice(0, 40) || gettext("My list");
}

// Keeps other filters; focused: of which the name gets the focus.
async function change(next, focused = null) {
  const error = await store(next);
  dialog().querySelector("output").textContent = error;
  if (error) return;
  renderTabs();
  renderDialog();
  const field = focused === null ? null : dialog().querySelectorAll("input")[focused];
  field?.focus();
  field?.select();
}

// Resolves to why it was not kept; to nothing if it was.
async function store(next) {
  if (!isOfAccount()) {
    filters = next;
    localStorage.setItem(FILTERS, JSON.stringify(next));
    return "";
  }
  const response = await fetch("/saved-filters", {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(next),
  }).catch(() => null);
  if (!response?.ok) return response ? gettext("Not saved. Load the page again.") : gettext("Not saved: the server does not answer.");
  filters = await response.json();
  return "";
}

function renderTabs() {
  const links = filters.map((filter) => {
    const link = document.createElement("a");
    link.href = filter.address;
    link.textContent = filter.name;
    link.dir = "auto";
    if (isCurrent(filter)) link.setAttribute("aria-current", "true");
    return link;
  });
  nav().querySelector(".tabs").replaceChildren(...links);
  const isSavable = currentAddress() !== "/" && !filters.some(isCurrent) && filters.length < MOST;
  saveButton().hidden = !isSavable;
  editButton().hidden = !filters.length;
  nav().hidden = !isSavable && !filters.length;
}

function renderDialog() {
  dialog().querySelector("ol").replaceChildren(...filters.map(entry));
}

function entry(filter, index) {
  const item = document.createElement("li");
  const field = document.createElement("input");
  field.value = filter.name;
  field.maxLength = 40;
  field.setAttribute("aria-label", gettext("Name of filter {number}", { number: index + 1 }));
  field.addEventListener("change", () => {
    const name = field.value.trim();
    if (name) change(filters.with(index, { ...filter, name }));
    else field.value = filter.name;
  });
  item.append(field, button("↑", gettext("Move {name} up", filter), index === 0, () => {
    change(filters.with(index - 1, filter).with(index, filters[index - 1]));
  }), button(gettext("Delete"), gettext("Delete {name}", filter), false, () => change(filters.toSpliced(index, 1))));
  return item;
}

function button(text, label, isDisabled, onClick) {
  const element = document.createElement("button");
  Object.assign(element, { type: "button", textContent: text, disabled: isDisabled });
  element.setAttribute("aria-label", label);
  element.addEventListener("click", onClick);
  return element;
}
