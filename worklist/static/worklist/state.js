// What a tab remembers of its list. The search text is kept here, since addresses are logged.
const TEXT = "readfirst.text";
const LIST = "readfirst.list";
const ORDER = "readfirst.order";
const SELECTED = "readfirst.selected";
const OPENED = "readfirst.opened";
const DISPLAYED = "readfirst.displayed";
const PENDING = "readfirst.pending";
const VISITED = "readfirst.visited";
// Studies that this tab remembers to have opened.
const MOST_VISITED = 1000;
// Studies whose films this tab remembers to have displayed.
const MOST_DISPLAYED = 300;

export const searchText = () => sessionStorage.getItem(TEXT) ?? "";

export function storeSearchText(text) {
  if (text) sessionStorage.setItem(TEXT, text);
  else sessionStorage.removeItem(TEXT);
}

// The address of the list that was seen last, to come back to.
export const listAddress = () => sessionStorage.getItem(LIST) ?? "/";

// The Study Instance UIDs of that list, in its order.
export const listedStudies = () => JSON.parse(sessionStorage.getItem(ORDER) ?? "[]");

export function storeList(rows) {
  sessionStorage.setItem(LIST, location.pathname + location.search);
  sessionStorage.setItem(ORDER, JSON.stringify(rows.map((row) => row.dataset.uid)));
}

export const selectedStudy = () => sessionStorage.getItem(SELECTED);

export const storeSelectedStudy = (uid) => sessionStorage.setItem(SELECTED, uid);

// For the page of a study: the list selects it when the reader comes back.
export function storeOpenedStudy(uid) {
  storeSelectedStudy(uid);
  sessionStorage.setItem(OPENED, uid);
}

// Returns whether the reader comes back from a study; true only once.
export function consumeReturn() {
  const isReturning = sessionStorage.getItem(OPENED) !== null;
  sessionStorage.removeItem(OPENED);
  return isReturning;
}

// The film of a study that was displayed in this tab, when the study had so many images.
export function storeDisplayedFilm(uid, sha256, images) {
  const others = displayedFilms().filter((film) => film.uid !== uid);
  sessionStorage.setItem(DISPLAYED, JSON.stringify([...others, { uid, sha256, images }].slice(-MOST_DISPLAYED)));
}

// The digest of that film; null if none was displayed, or if an image has come in since.
export function displayedFilm(uid, images) {
  const film = displayedFilms().find((each) => each.uid === uid);
  return film?.images === images ? film.sha256 : null;
}

const displayedFilms = () => JSON.parse(sessionStorage.getItem(DISPLAYED) ?? "[]");

// A verdict that was not taken since the session had ended: { uid, say }, to be given again.
export const storePendingVerdict = (uid, say) => sessionStorage.setItem(PENDING, JSON.stringify({ uid, say }));

// Returns that of one study, or of any; once.
export function takePendingVerdict(uid) {
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? "null");
  if (!pending || (uid && pending.uid !== uid)) return null;
  sessionStorage.removeItem(PENDING);
  return pending;
}

// The studies that this tab has opened since it began with the unread ones, the latest last.
export const visitedStudies = () => JSON.parse(sessionStorage.getItem(VISITED) ?? "[]");

export const forgetVisited = () => sessionStorage.removeItem(VISITED);

export function storeVisited(uid) {
  const others = visitedStudies().filter((other) => other !== uid);
  sessionStorage.setItem(VISITED, JSON.stringify([...others, uid].slice(-MOST_VISITED)));
}
