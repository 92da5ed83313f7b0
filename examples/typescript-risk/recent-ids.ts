/**
 * The last ids that were seen. A window, never a high-water mark: after a reconnect older trades may come behind
 * newer ones, and each of them is new.
 */
export class RecentIds {
  // A Set remembers the order in which its members came.
  private readonly ids = new Set<string>();
  private readonly size: number;

  constructor(size = 10_000) {
    this.size = size;
  }

  /** Whether the id was not seen before; from now on it was. */
  isNew(id: string): boolean {
    if (this.ids.has(id)) return false;
    this.ids.add(id);
    if (this.ids.size > this.size) this.ids.delete(this.ids.values().next().value as string);
    return true;
  }
}
