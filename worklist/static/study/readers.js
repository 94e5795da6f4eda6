// Who else has this study open: the page gives signs of life, and is told in a sentence.

// Milliseconds: between two signs of life, and for which a page that is not in view gives them.
const BEAT = 20_000;
const MOST_HIDDEN = 10 * 60_000;

const line = () => document.getElementById("readers");

// A page that is left, and comes back by the browser's memory, is another one.
const newTab = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// Returns a function to be called when the readers of this study may be others.
export function setUpReaders(study) {
  const address = `/studies/${study}/readers`;
  let tab = newTab();
  let hiddenSince = document.hidden ? Date.now() : null;

  async function ask() {
    const sender = tab;
    const body = new URLSearchParams({ tab });
    const response = await fetch(address, { method: "POST", body, signal: AbortSignal.timeout(BEAT) });
    const text = await response.text();
    if (response.ok && sender === tab && line().textContent !== text) line().textContent = text;
  }

  // One request at a time: the answer of an earlier one, which knows less, may come after that of a later one.
  let isAsking = false;
  let isWanted = false;
  async function beat() {
    if (hiddenSince && Date.now() - hiddenSince > MOST_HIDDEN) return;
    isWanted = true;
    if (isAsking) return;
    isAsking = true;
    while (isWanted) {
      isWanted = false;
      // What got no answer is asked again at the next sign of life.
      await ask().catch(() => null);
    }
    isAsking = false;
  }

  document.addEventListener("visibilitychange", () => {
    hiddenSince = document.hidden ? Date.now() : null;
    if (!document.hidden) beat();
  });
  addEventListener("pagehide", () => {
    navigator.sendBeacon(address, new URLSearchParams({ tab, left: "true" }));
    tab = newTab();
  });
  addEventListener("pageshow", ({ persisted }) => { if (persisted) beat(); });
  setInterval(beat, BEAT);
  beat();
  return beat;
}
