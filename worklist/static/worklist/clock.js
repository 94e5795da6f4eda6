// Updates waiting times between two requests.
import { gettext } from "../common/texts.js";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

// As the server writes it: `45 s`, `12 min`, `3 h 05`, `2 d 4 h`.
export function shortDuration(seconds) {
  const [minutes, hours, days] = [MINUTE, HOUR, DAY].map((unit) => Math.floor(seconds / unit));
  if (minutes < 1) return `${Math.max(0, Math.floor(seconds))} s`;
  if (hours < 1) return `${minutes} min`;
  if (days < 1) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return gettext("{days} d {hours} h", { days, hours: hours % 24 });
}

// The share of the longest wait from which a waiting time is marked, and the words of each mark.
const SOON = 0.75;
const WAIT_WORDS = {
  "": "",
  soon: gettext(", over three quarters of the maximum wait"),
  over: gettext(", over the maximum wait"),
};

export function waitLevel(seconds, maxWait) {
  if (seconds >= maxWait) return "over";
  return seconds >= SOON * maxWait ? "soon" : "";
}

// clockOffset: how far this machine's clock is behind the server's, in milliseconds.
export function updateWaitingTimes(list, clockOffset) {
  const maxWait = Number(list.querySelector("table.studies")?.dataset.maxWait);
  for (const time of list.querySelectorAll("time[datetime]")) {
    const seconds = (Date.now() + clockOffset - Date.parse(time.dateTime)) / 1000;
    const text = shortDuration(seconds);
    if (time.textContent !== text) time.textContent = text;
    updateLevel(time, waitLevel(seconds, maxWait));
  }
}

function updateLevel(time, level) {
  if (time.dataset.level === level) return;
  time.dataset.level = level;
  time.parentElement.querySelector(".wait-words").textContent = WAIT_WORDS[level];
}
