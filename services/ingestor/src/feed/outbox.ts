import type { RequestKind } from './request-ledger.ts';

/** A request to be sent. */
export interface Batch {
  readonly kind: RequestKind;
  /** Indexes of topics on the connection; one request group, within the request's limits. */
  readonly topics: readonly number[];
  /** Monotonic milliseconds. */
  readonly notBefore: number;
  /** 1 for the first time. */
  readonly attempt: number;
}

/** Requests that wait for the budget, or for their time. In order, but one that is not due holds up no other. */
export class Outbox {
  private readonly batches: Batch[] = [];

  add(batch: Batch): void {
    this.batches.push(batch);
  }

  /** Takes out the first that is due. */
  takeDue(now: number): Batch | null {
    const at = this.batches.findIndex((batch) => batch.notBefore <= now);
    return at === -1 ? null : (this.batches.splice(at, 1)[0] ?? null);
  }

  /** When the next is due; Infinity: nothing waits. */
  nextDue(): number {
    let earliest = Infinity;
    for (const batch of this.batches) earliest = Math.min(earliest, batch.notBefore);
    return earliest;
  }

  has(kind: RequestKind): boolean {
    return this.batches.some((batch) => batch.kind === kind);
  }

  clear(): void {
    this.batches.length = 0;
  }
}
