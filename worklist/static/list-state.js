// What a tab remembers of its list. The text is kept here, since addresses are logged.
const TEXT = "readfirst.text";
const LIST = "readfirst.list";
const ORDER = "readfirst.order";
const SELECTED = "readfirst.selected";
const OPENED = "readfirst.opened";

export const heldText = () => sessionStorage.getItem(TEXT) ?? "";

export function holdText(text) {
  if (text) sessionStorage.setItem(TEXT, text);
  else sessionStorage.removeItem(TEXT);
}

// The address of the list that was seen last, to come back to.
export const listAddress = () => sessionStorage.getItem(LIST) ?? "/";

// The Study Instance UIDs of that list, in its order.
export const listedStudies = () => JSON.parse(sessionStorage.getItem(ORDER) ?? "[]");

export function rememberList(rows) {
  sessionStorage.setItem(LIST, location.pathname + location.search);
  sessionStorage.setItem(ORDER, JSON.stringify(rows.map((row) => row.dataset.uid)));
}

export const selectedStudy = () => sessionStorage.getItem(SELECTED);

export const noteSelected = (uid) => sessionStorage.setItem(SELECTED, uid);

// From the page of a study: the list shows it when somebody comes back.
export function selectStudy(uid) {
  noteSelected(uid);
  sessionStorage.setItem(OPENED, uid);
}

// Whether somebody comes back from a study; told once.
export function comesBack() {
  const opened = sessionStorage.getItem(OPENED) !== null;
  sessionStorage.removeItem(OPENED);
  return opened;
}
