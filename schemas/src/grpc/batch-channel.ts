/** Hands batches from several sources to one reader, with a bound: a source waits until there is room. */
export class BatchChannel<T> {
  private readonly batches: T[] = [];
  private readonly capacity: number;
  private isEnded = false;
  private failure: unknown = null;
  private wakeReader: (() => void) | null = null;
  private wakeSources: (() => void)[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Resolves when there is room again; at once after the end, when nothing is taken. */
  async put(batch: T): Promise<void> {
    if (this.isEnded) return;
    this.batches.push(batch);
    this.wakeReader?.();
    while (this.batches.length >= this.capacity && !this.isEnded) {
      await new Promise<void>((resolve) => this.wakeSources.push(resolve));
    }
  }

  /** No more batches; `failure` is thrown to the reader after those there are. */
  end(failure: unknown = null): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.failure = failure;
    this.wakeReader?.();
    this.wake();
  }

  /** The next batch; undefined at the end. */
  async take(): Promise<T | undefined> {
    while (this.batches.length === 0) {
      if (this.isEnded) {
        if (this.failure !== null) throw this.failure;
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.wakeReader = resolve;
      });
      this.wakeReader = null;
    }
    const batch = this.batches.shift();
    this.wake();
    return batch;
  }

  private wake(): void {
    const sources = this.wakeSources;
    this.wakeSources = [];
    for (const wake of sources) wake();
  }
}
