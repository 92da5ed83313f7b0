/**
 * Bytes that writers hold, as they count them themselves: the same for the same rows in every run, unlike what a
 * garbage collector leaves. Who decides when to write out looks at the total.
 */
export class MemoryUse {
  held = 0;
  private readonly total: MemoryUse | null;

  /** `total`: what counts this one and others together. */
  constructor(total: MemoryUse | null = null) {
    this.total = total;
  }

  add(bytes: number): void {
    this.held += bytes;
    if (this.total !== null) this.total.held += bytes;
  }

  /** All of it is let go. */
  release(): void {
    if (this.total !== null) this.total.held -= this.held;
    this.held = 0;
  }
}
