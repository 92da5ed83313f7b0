/** How long a rate is averaged over. */
const SPAN_MS = 3_000;

/** Turns a count that only grows into a rate per second over the last three seconds. */
export class RateMeter {
  private readonly readings: { readonly atMs: number; readonly total: number }[] = [];

  /** Takes a reading of the count and returns the rate. `atMs`: any clock that never goes back. */
  read(atMs: number, total: number): number {
    this.readings.push({ atMs, total });
    while (this.readings.length > 2 && atMs - this.readings[1]!.atMs >= SPAN_MS) this.readings.shift();
    const first = this.readings[0]!;
    return atMs === first.atMs ? 0 : ((total - first.total) * 1000) / (atMs - first.atMs);
  }
}
