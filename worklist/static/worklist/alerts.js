// A tone or a notification when a study is flagged or STAT, for whoever wants one. Neither names a
// patient.
import { gettext } from "../common/texts.js";

const TEXTS = { flagged: gettext("A flagged study has come in"), stat: gettext("A STAT study has come in") };
// Hertz, one after another, and how long each sounds, in seconds.
const NOTES = [660, 880];
const LENGTH = 0.16;
// Milliseconds within which further studies do not alert again.
const PAUSE = 5_000;

let audio = null;
let alertedAt = 0;
// The studies that have alerted; a STAT study does not once more when it is flagged.
const alerted = { flagged: new Set(), stat: new Set() };

const toneBox = () => /** @type {HTMLInputElement} */ (document.getElementById("alert-tone"));
const notificationBox = () => /** @type {HTMLInputElement} */ (document.getElementById("alert-notification"));
const showStatus = (text) => { document.getElementById("alert-status").textContent = text; };

export const wantsAlerts = () => toneBox().checked || notificationBox().checked;

export function alertStudy(uid, isStat) {
  const kind = isStat ? "stat" : "flagged";
  if (alerted.stat.has(uid) || alerted[kind].has(uid)) return;
  alerted[kind].add(uid);
  if (Date.now() - alertedAt < PAUSE) return;
  alertedAt = Date.now();
  if (toneBox().checked) playTone();
  if (notificationBox().checked) notify(TEXTS[kind]);
}

function playTone() {
  audio ??= new AudioContext();
  audio.resume();
  for (const [index, hertz] of NOTES.entries()) playNote(hertz, audio.currentTime + index * LENGTH);
}

function playNote(hertz, start) {
  const oscillator = new OscillatorNode(audio, { frequency: hertz });
  const gain = new GainNode(audio, { gain: 0 });
  gain.gain.setTargetAtTime(0.12, start, 0.01);
  gain.gain.setTargetAtTime(0, start + LENGTH * 0.7, 0.03);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(start);
  oscillator.stop(start + LENGTH + 0.2);
}

function notify(text) {
  const notification = new Notification("ReadFirst", { body: text, tag: "readfirst-flagged", icon: "/static/common/icon.svg" });
  notification.addEventListener("click", () => {
    window.focus();
    notification.close();
  });
}

async function requestPermission(box) {
  if (box.checked && await Notification.requestPermission() !== "granted") {
    box.checked = false;
    showStatus(gettext("This browser lets no notification through; allow it in its settings."));
  } else {
    showStatus("");
  }
  store(box);
}

const store = (box) => localStorage.setItem(`readfirst.${box.id}`, box.checked ? "on" : "off");
const isStored = (box) => localStorage.getItem(`readfirst.${box.id}`) === "on";

// onChange: called when somebody turns alerts on or off.
export function setUpAlerts(onChange) {
  const [tone, notification] = [toneBox(), notificationBox()];
  const canNotify = "Notification" in window && window.isSecureContext;
  notification.disabled = !canNotify;
  if (!canNotify) showStatus(gettext("Notifications need HTTPS, or this machine's own address."));
  tone.checked = isStored(tone);
  notification.checked = canNotify && isStored(notification) && Notification.permission === "granted";
  tone.addEventListener("change", () => {
    store(tone);
    if (tone.checked) playTone();
    onChange();
  });
  notification.addEventListener("change", () => requestPermission(notification).then(onChange));
  // Browsers let a page play sound only after somebody has used it.
  const unlock = () => { if (tone.checked) (audio ??= new AudioContext()).resume(); };
  addEventListener("pointerdown", unlock, { once: true });
  addEventListener("keydown", unlock, { once: true });
}
