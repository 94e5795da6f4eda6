// Notices over the page, and over the film in full screen, where nothing else of the page is seen.

const banner = () => document.getElementById("update-notice");
const inFilm = (name) => /** @type {HTMLElement} */ (document.querySelector(`[data-film="${name}"]`));

// show: offers to load the page again. retry: offers to try again, by this text.
export function showNotice(text, { show = false, retry = "" } = {}) {
  const notice = banner();
  notice.querySelector("span").textContent = text;
  notice.querySelector("a").hidden = !show;
  notice.querySelector("button").hidden = !retry;
  notice.querySelector("button").textContent = retry;
  notice.hidden = false;
  showOnFilm(text);
}

// Calls what the two buttons do.
export function setUpNotice({ retry, undo }) {
  banner().querySelector("button").addEventListener("click", retry);
  inFilm("undo").addEventListener("click", undo);
}

// What offers to load the page again holds until that is done.
export function hideNotice() {
  if (banner().querySelector("a").hidden) banner().hidden = true;
  inFilm("notice").hidden = true;
}

// undo: offers to take it back.
export function showOnFilm(text, { undo = false } = {}) {
  inFilm("notice-text").textContent = text;
  inFilm("undo").hidden = !undo;
  inFilm("notice").hidden = false;
}
