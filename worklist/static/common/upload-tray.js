// The tray of uploads: follows each file until it is scored, or says why it is not.

import { gettext, inLanguage } from "./texts.js";

// Milliseconds between two looks at the files that are not done: longer while nothing changes.
const PAUSE = 1000;
const LONGEST_PAUSE = 15_000;
// Files that are looked at in one round.
const ROUND = 20;

/** @typedef {{ name: string, item: HTMLElement, status: HTMLElement, href?: string, alreadyHere?: boolean, state?: string }} Line */

export class UploadTray {
  /** @param {HTMLElement} tray */
  constructor(tray) {
    this.tray = tray;
    this.list = tray.querySelector("ol");
    /** @type {Line[]} */
    this.following = [];
    this.pause = PAUSE;
    this.timer = 0;
    tray.querySelector("button").addEventListener("click", () => this.close());
  }

  /** A line for a file that is about to be sent. @returns {Line} */
  add(name) {
    const item = document.createElement("li");
    const label = document.createElement("span");
    const status = document.createElement("span");
    label.className = "name";
    label.textContent = label.title = name;
    status.className = "status";
    item.append(label, " ", status);
    this.list.append(item);
    this.tray.hidden = false;
    const line = { name, item, status };
    say(line, "waiting", gettext("waiting"));
    return line;
  }

  /** The file is in the inbox; `uploaded` is the server's answer for it. */
  follow(line, uploaded) {
    line.href = uploaded.href;
    line.alreadyHere = uploaded.already_here;
    say(line, "received", gettext("received"));
    this.following.push(line);
    this.pause = PAUSE;
    this.look(PAUSE);
  }

  fail(line, reason) {
    say(line, "failed", gettext("not uploaded: {reason}", { reason }));
  }

  close() {
    this.tray.hidden = true;
    this.list.replaceChildren();
    this.following = [];
  }

  look(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.round(), pause);
  }

  async round() {
    let changed = false;
    for (const line of this.following.slice(0, ROUND)) {
      const outcome = await outcomeOf(line);
      if (!outcome) continue;
      changed ||= outcome.state !== line.state;
      line.state = outcome.state;
      if (outcome.done) show(line, outcome);
    }
    // The others come first in the next round.
    const seen = this.following.splice(0, ROUND);
    this.following.push(...seen.filter((line) => line.item.isConnected && line.item.dataset.state === "received"));
    this.pause = changed ? PAUSE : Math.min(LONGEST_PAUSE, 1.5 * this.pause);
    if (this.following.length) this.look(this.pause);
  }
}

// Resolves to nothing where the server does not answer: the next round asks again.
async function outcomeOf(line) {
  const response = await fetch(line.href, inLanguage()).catch(() => null);
  return response?.ok ? response.json() : null;
}

/** @param {Line} line */
function show(line, outcome) {
  const words = line.alreadyHere ? gettext("already here: {outcome}", { outcome: outcome.summary }) : outcome.summary;
  say(line, outcome.state, words, outcome.study_instance_uid);
  if (outcome.flagged) line.item.classList.add("is-flagged");
}

/** @param {Line} line */
function say(line, state, text, uid = null) {
  line.item.dataset.state = state;
  if (!uid) {
    line.status.textContent = text;
    return;
  }
  const link = document.createElement("a");
  link.href = `/studies/${uid}`;
  link.textContent = text;
  line.status.replaceChildren(link);
}
