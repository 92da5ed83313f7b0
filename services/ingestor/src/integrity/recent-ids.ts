import type { ByteRange } from '@tickline/schemas';

/** Trades of one symbol that two sessions may both deliver during a handover; far more than seconds of the busiest symbol. */
const CAPACITY = 8192;

/**
 * A sliding window over trade ids: which of them came already. It lives only while two sessions
 * overlap (make before break) and until the next trade after that, so its strings cost nothing in the steady state.
 */
export class RecentIds {
  private readonly seen = new Set<string>();

  /** True when the id was not seen within the window; remembers it. */
  admit(tradeId: ByteRange): boolean {
    const id = tradeId.toString();
    if (this.seen.has(id)) return false;
    this.seen.add(id);
    if (this.seen.size > CAPACITY) {
      for (const oldest of this.seen) {
        this.seen.delete(oldest);
        break;
      }
    }
    return true;
  }
}
