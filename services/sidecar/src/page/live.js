/** @typedef {import('../snapshot.ts').Snapshot} Snapshot */

/** What is waited before a stream that the browser gave up is opened again. */
const RETRY_MS = 3_000;

/**
 * Reads the event stream for ever. The browser itself connects again when a stream breaks; what it gives up (an
 * answer that is no stream) is tried again here, and a login that has ended leads to the form.
 */
export class Live {
  /**
   * @param {(snapshot: Snapshot) => void} show
   * @param {(ageMs: number | null, isLost: boolean) => void} tell age of what is shown, every second
   */
  constructor(show, tell) {
    this.show = show;
    this.tell = tell;
    /** @type {number | null} */
    this.heardAt = null;
    this.withinMs = 10_000;
    this.isBroken = false;
  }

  start() {
    this.open();
    setInterval(() => this.look(), 1_000);
  }

  open() {
    const stream = new EventSource('events');
    stream.addEventListener('snapshot', (event) => {
      /** @type {Snapshot} */
      const snapshot = JSON.parse(event.data);
      this.heardAt = performance.now();
      this.withinMs = snapshot.nextWithinMs;
      this.isBroken = false;
      this.show(snapshot);
      this.look();
    });
    stream.addEventListener('error', () => {
      this.isBroken = true;
      this.look();
      if (stream.readyState !== EventSource.CLOSED) return;
      setTimeout(() => void this.openAgain(), RETRY_MS);
    });
  }

  async openAgain() {
    try {
      const answer = await fetch('events', { method: 'HEAD' });
      if (answer.status === 401) {
        location.assign('login');
        return;
      }
    } catch {
      // Nobody answers: opening fails once more, and leads back here.
    }
    this.open();
  }

  look() {
    const ageMs = this.heardAt === null ? null : performance.now() - this.heardAt;
    this.tell(ageMs, this.isBroken || (ageMs !== null && ageMs > this.withinMs));
  }
}
