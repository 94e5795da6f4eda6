// Follows changes by server-sent events, and polls slowly where the stream is cut off.

// Events that may change a list. Others (a duplicate, an original that is removed) do not.
const CHANGES = [
  "received", "ready", "scored", "refused", "replaced", "marked", "retried", "moved",
  "details_added", "contradicted",
  "verdict", "read", "unread", "flagged", "flag_withdrawn", "raised_to_stat", "prior", "no_prior",
  "readers",
];
// Milliseconds: between two refreshes, while live and while cut off; of silence before it counts as cut off.
const POLL_LIVE = 60_000;
const POLL_CUT_OFF = 20_000;
const CUT_OFF_AFTER = 5_000;

// A flag alerts unless its study was read long ago: the server decides.
const shouldAlert = ({ detail }) => detail.alert !== false;

export class LiveUpdates {
  // onChange: something may have changed. onFlagged: a study is flagged now. onConnection: called
  // with true or false when the stream comes back or is cut off. runsHidden: returns true if the
  // stream goes on while the page is hidden.
  constructor({ onChange, onFlagged, onConnection, runsHidden }) {
    this.onChange = onChange;
    this.onFlagged = onFlagged;
    this.onConnection = onConnection;
    this.runsHidden = runsHidden;
    this.refreshedAt = Date.now();
    this.cutOffAt = Date.now();
    this.isCutOff = false;
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
      this.setCutOff(false);
      this.refresh();
    });
    this.source.addEventListener("error", () => { this.cutOffAt ??= Date.now(); });
    for (const type of CHANGES) this.source.addEventListener(type, () => this.refresh());
    this.source.addEventListener("flagged", ({ data }) => {
      if (shouldAlert(JSON.parse(data))) this.onFlagged();
    });
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

  // Once a second: is the stream cut off, and is it time to poll?
  check() {
    if (!this.source) return;
    if (this.cutOffAt && Date.now() - this.cutOffAt > CUT_OFF_AFTER) this.setCutOff(true);
    // The browser does not try again after a stream that was refused.
    const isOver = this.source.readyState === EventSource.CLOSED;
    if (Date.now() - this.refreshedAt < (this.isCutOff ? POLL_CUT_OFF : POLL_LIVE)) return;
    if (isOver) {
      this.close();
      this.connect();
    }
    this.refresh();
  }

  setCutOff(isCutOff) {
    if (isCutOff === this.isCutOff) return;
    this.isCutOff = isCutOff;
    this.onConnection(!isCutOff);
  }
}
