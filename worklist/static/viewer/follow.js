// A window of films that follows the window from which it was opened: when that one moves on to
// another study, it shows the film of that study, and never keeps the one before.

/* oxlint-disable unicorn/require-post-message-target-origin -- a BroadcastChannel has no target */
const CHANNEL = "readfirst.film";
const WINDOW = "readfirst.window";
const FOLLOWS = "#follows=";

// The number of this window, by which those that it opened know it. It is random, and names nobody.
function windowNumber() {
  const number = sessionStorage.getItem(WINDOW) ?? Array.from(crypto.getRandomValues(new Uint32Array(2))).join("-");
  sessionStorage.setItem(WINDOW, number);
  return number;
}

// The page of a study tells the windows that it opened which study it shows.
export function lead(study, link) {
  const window = windowNumber();
  const channel = new BroadcastChannel(CHANNEL);
  const tell = () => channel.postMessage({ window, study });
  if (link) link.href += `${FOLLOWS}${window}`;
  channel.addEventListener("message", ({ data }) => { if (data.window === window && data.isAsking) tell(); });
  addEventListener("pageshow", tell);
  addEventListener("pagehide", () => channel.postMessage({ window, study: null }));
}

// The window of films. show: called with the UID of another study. leave: called when the first
// window shows no study any more. Returns false if it follows none.
export function follow(show, leave) {
  if (!location.hash.startsWith(FOLLOWS)) return false;
  const window = location.hash.slice(FOLLOWS.length);
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", ({ data }) => {
    if (data.window !== window || data.isAsking) return;
    if (data.study) show(data.study);
    else leave();
  });
  channel.postMessage({ window, isAsking: true });
  return true;
}
