// Follows changes by server-sent events, and polls slowly where the stream is cut off.

// Events that may change a list. Others (a duplicate, an original that is removed) do not.
const CHANGES = [
  "received", "ready", "scored", "refused", "replaced", "marked", "retried", "moved",
  "details_added", "contradicted", "order_cancelled", "patient_corrected", "patient_merged",
  "merge_undone", "reported", "report_withdrawn",
  "verdict", "read", "unread", "flagged", "flag_withdrawn", "raised_to_stat", "prior", "no_prior",
  "readers",
];
// Milliseconds: between two refreshes, while live, while cut off, and while nothing answers; of
// silence before it counts as cut off, and as gone.
const POLL_LIVE = 60_000;
const POLL_CUT_OFF = 20_000;
const POLL_GONE = 4_000;
const CUT_OFF_AFTER = 5_000;
const GONE_AFTER = 10_000;
// Milliseconds between two refreshes, however much happens; a multiple of the response time where
// the server is slow, so that many open pages do not make it slower. But what has changed is on
// the page within seconds, also after one very slow response.
const PAUSE = 700;
const SLOWDOWN = 8;
const LONGEST_PAUSE = 10_000;

// duration: of the last refresh.
export const pauseAfter = (duration) => Math.min(LONGEST_PAUSE, Math.max(PAUSE, SLOWDOWN * duration));

// What alerts: a flag, unless its study was read long ago, and a STAT study. The server decides.
const ALERTS = {
  flagged: ({ detail }) => detail.alert !== false,
  raised_to_stat: ({ detail }) => detail.alert === true,
  received: ({ detail }) => detail.alert === true,
};

export class LiveUpdates {
  // onChange: something may have changed. onAlert: called with a study that is flagged or STAT now,
  // and whether it is STAT. onConnection: called with the state, as `showConnection` takes it, when
  // it changes. runsHidden: returns true if the stream goes on while the page is hidden.
  constructor({ onChange, onAlert, onConnection, runsHidden }) {
    this.onChange = onChange;
    this.onAlert = onAlert;
    this.onConnection = onConnection;
    this.runsHidden = runsHidden;
    this.refreshedAt = Date.now();
    this.cutOffAt = Date.now();
    this.isCutOff = false;
    // When the server answered no more; null while it does.
    this.silentSince = null;
    this.state = "live";
    addEventListener("offline", () => this.noteAnswer(false));
    document.addEventListener("visibilitychange", () => this.update());
    setInterval(() => this.check(), 1000);
    this.update();
  }

  // Opens the stream if it is needed now; a hidden page closes it.
  update() {
    const isNeeded = !document.hidden || this.runsHidden();
    if (isNeeded === Boolean(this.source)) return;
    if (isNeeded) this.connect();
    else this.close();
  }

  connect() {
    this.source = new EventSource("/api/v1/events/stream");
    this.source.addEventListener("open", () => {
      this.cutOffAt = null;
      this.isCutOff = false;
      this.noteAnswer(true);
      this.refresh();
    });
    this.source.addEventListener("error", () => {
      this.cutOffAt ??= Date.now();
      this.silentSince ??= Date.now();
    });
    for (const type of CHANGES) this.source.addEventListener(type, () => this.refresh());
    for (const [type, shouldAlert] of Object.entries(ALERTS)) {
      this.source.addEventListener(type, ({ data }) => {
        const event = JSON.parse(data);
        if (shouldAlert(event)) this.onAlert(event.study_instance_uid, type !== "flagged");
      });
    }
  }

  close() {
    this.source.close();
    this.source = null;
    this.cutOffAt = Date.now();
  }

  refresh() {
    this.refreshedAt = Date.now();
    this.onChange();
  }

  // isAnswer: the server has answered, or has not.
  noteAnswer(isAnswer) {
    if (isAnswer) this.silentSince = null;
    else this.silentSince ??= Date.now();
    this.tellState();
  }

  // Once a second: is the stream cut off, and is it time to poll?
  check() {
    if (!this.source) return;
    if (this.cutOffAt && Date.now() - this.cutOffAt > CUT_OFF_AFTER) this.isCutOff = true;
    this.tellState();
    // The browser does not try again after a stream that was refused.
    const isOver = this.source.readyState === EventSource.CLOSED;
    if (Date.now() - this.refreshedAt < this.pollAfter()) return;
    if (isOver) {
      this.close();
      this.connect();
    }
    this.refresh();
  }

  pollAfter() {
    if (this.silentSince) return POLL_GONE;
    return this.isCutOff ? POLL_CUT_OFF : POLL_LIVE;
  }

  tellState() {
    const isGone = this.silentSince && Date.now() - this.silentSince > GONE_AFTER;
    const state = isGone ? "gone" : this.isCutOff && !this.silentSince ? "polling" : "live";
    // Between the first silence and its end nothing is known.
    if (state === this.state || (state === "live" && this.silentSince)) return;
    this.state = state;
    this.onConnection({ state, since: this.silentSince });
  }
}
