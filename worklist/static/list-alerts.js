// A tone or a notification when a study is flagged, for whoever wants one. Neither names a patient.
const tone = document.getElementById("alert-tone");
const notification = document.getElementById("alert-notification");
const said = document.getElementById("alert-says");
const TEXT = "A flagged study has come in";
// Hertz, one after another, and how long each sounds, in seconds.
const NOTES = [660, 880];
const LENGTH = 0.16;
// Milliseconds within which further studies are not told of again.
const PAUSE = 5_000;

let audio = null;
let toldAt = 0;

export const wantsAlerts = () => tone.checked || notification.checked;

export function alertFlagged() {
  if (Date.now() - toldAt < PAUSE) return;
  toldAt = Date.now();
  if (tone.checked) play();
  if (notification.checked) notify();
}

function play() {
  audio ??= new AudioContext();
  audio.resume();
  for (const [place, hertz] of NOTES.entries()) sound(hertz, audio.currentTime + place * LENGTH);
}

function sound(hertz, from) {
  const oscillator = new OscillatorNode(audio, { frequency: hertz });
  const gain = new GainNode(audio, { gain: 0 });
  gain.gain.setTargetAtTime(0.12, from, 0.01);
  gain.gain.setTargetAtTime(0, from + LENGTH * 0.7, 0.03);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(from);
  oscillator.stop(from + LENGTH + 0.2);
}

function notify() {
  const shown = new Notification("ReadFirst", { body: TEXT, tag: "readfirst-flagged", icon: "/static/icon.svg" });
  shown.addEventListener("click", () => {
    window.focus();
    shown.close();
  });
}

async function chooseNotification() {
  if (notification.checked && await Notification.requestPermission() !== "granted") {
    notification.checked = false;
    said.textContent = "This browser lets no notification through; allow it in its settings.";
  } else {
    said.textContent = "";
  }
  remember(notification);
}

const remember = (box) => localStorage.setItem(`readfirst.${box.id}`, box.checked ? "on" : "off");
const wasOn = (box) => localStorage.getItem(`readfirst.${box.id}`) === "on";

// changed: called when somebody wants alerts, or no more.
export function offerAlerts(changed) {
  const canNotify = "Notification" in window && window.isSecureContext;
  notification.disabled = !canNotify;
  if (!canNotify) said.textContent = "Notifications need HTTPS, or this machine's own address.";
  tone.checked = wasOn(tone);
  notification.checked = canNotify && wasOn(notification) && Notification.permission === "granted";
  tone.addEventListener("change", () => {
    remember(tone);
    if (tone.checked) play();
    changed();
  });
  notification.addEventListener("change", () => chooseNotification().then(changed));
  // Browsers let a page sound only after somebody has used it.
  const unlock = () => { if (tone.checked) (audio ??= new AudioContext()).resume(); };
  addEventListener("pointerdown", unlock, { once: true });
  addEventListener("keydown", unlock, { once: true });
}
