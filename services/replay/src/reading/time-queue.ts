import type { RecordStore } from './record-store.ts';

const FIRST_ENTRIES = 256;

/** Records of one partition by receive time; of one time, by offset. Made for records that are nearly in order. */
export class TimeQueue {
  private readonly store: RecordStore;
  private entries = new Int32Array(FIRST_ENTRIES);
  private head = 0;
  private tail = 0;

  constructor(store: RecordStore) {
    this.store = store;
  }

  get isEmpty(): boolean {
    return this.head === this.tail;
  }

  /** Receive time of the first one; the queue is not empty. */
  get firstTime(): number {
    return this.store.timeOf(this.entries[this.head]!);
  }

  add(entry: number): void {
    if (this.tail === this.entries.length) this.makeRoom();
    const { store, entries, tail } = this;
    const time = store.timeOf(entry);
    // Records come by offset: of one time the later one goes behind.
    if (this.isEmpty || store.timeOf(entries[tail - 1]!) <= time) {
      entries[tail] = entry;
    } else {
      let low = this.head;
      let high = tail - 1;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (store.timeOf(entries[middle]!) <= time) low = middle + 1;
        else high = middle;
      }
      entries.copyWithin(low + 1, low, tail);
      entries[low] = entry;
    }
    this.tail++;
  }

  /** Takes out the first one; the queue is not empty. */
  take(): number {
    return this.entries[this.head++]!;
  }

  private makeRoom(): void {
    const { entries, head, tail } = this;
    if (head > entries.length / 2) {
      entries.copyWithin(0, head, tail);
    } else {
      this.entries = new Int32Array(entries.length * 2);
      this.entries.set(entries.subarray(head, tail));
    }
    this.tail = tail - head;
    this.head = 0;
  }
}
