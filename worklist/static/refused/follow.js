// Loads the page again while images that are tried again are in work, unless somebody types a note.
const PAUSE = 4_000;

setInterval(() => {
  if (document.activeElement?.matches("input")) return;
  if (document.querySelector(".retry-outcome[data-following]")) location.reload();
}, PAUSE);
