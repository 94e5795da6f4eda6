// Hears of what happens by server-sent events, and looks slowly by itself where they are cut off.

// What may change a list. Other events (a duplicate, an original that is removed) do not.
const CHANGES = [
  "received", "ready", "scored", "refused", "marked", "retried", "moved",
  "verdict", "read", "unread", "flagged",
];
// Milliseconds: between two looks at the list, while live and not; of silence before that is said.
const SLOWEST_LIVE = 60_000;
const SLOWEST_CUT = 20_000;
const CUT_AFTER = 5_000;

// changed: something may have changed. flagged: a study is flagged now. live: whether it is so.
// whileHidden: whether it goes on while nobody looks at the page.
export class Live {
  constructor({ changed, flagged, live, whileHidden }) {
    Object.assign(this, { changed, flagged, live, whileHidden });
    this.lookedAt = Date.now();
    this.cutAt = Date.now();
    this.isCut = false;
    document.addEventListener("visibilitychange", () => this.open());
    setInterval(() => this.check(), 1000);
    this.open();
  }

  // Opens the stream if it is wanted now; a page that nobody sees gives it back.
  open() {
    const wanted = !document.hidden || this.whileHidden();
    if (wanted === Boolean(this.source)) return;
    if (wanted) this.connect();
    else this.close();
  }

  connect() {
    this.source = new EventSource("/api/v1/events/stream");
    this.source.onopen = () => {
      this.cutAt = null;
      this.tell(false);
      this.look();
    };
    this.source.onerror = () => { this.cutAt ??= Date.now(); };
    for (const kind of CHANGES) this.source.addEventListener(kind, () => this.look());
    this.source.addEventListener("flagged", () => this.flagged());
  }

  close() {
    this.source.close();
    this.source = null;
    this.cutAt = Date.now();
  }

  look() {
    this.lookedAt = Date.now();
    this.changed();
  }

  // Once a second: is it cut off, and is it time to look anyway?
  check() {
    if (!this.source) return;
    if (this.cutAt && Date.now() - this.cutAt > CUT_AFTER) this.tell(true);
    // A stream that was refused is not asked for again by the browser.
    const isOver = this.source.readyState === EventSource.CLOSED;
    if (Date.now() - this.lookedAt < (this.isCut ? SLOWEST_CUT : SLOWEST_LIVE)) return;
    if (isOver) {
      this.close();
      this.connect();
    }
    this.look();
  }

  tell(isCut) {
    if (isCut === this.isCut) return;
    this.isCut = isCut;
    this.live(!isCut);
  }
}
