const BUCKETS = 4096;

interface Entry<T> {
  readonly bytes: Uint8Array;
  readonly value: T;
  readonly next: Entry<T> | null;
}

/**
 * Remembers what was made of a short run of bytes (a symbol, an exchange), so that a text is made once and not
 * for each record. When it holds `limit` entries it begins anew: memory stays bounded whatever the bytes are.
 */
export class ByteMemo<T> {
  private readonly make: (text: string) => T;
  private readonly limit: number;
  private buckets: (Entry<T> | null)[] = new Array(BUCKETS).fill(null);
  private size = 0;

  constructor(make: (text: string) => T, limit = 100_000) {
    this.make = make;
    this.limit = limit;
  }

  /** What `make` returned for the UTF-8 text in `bytes[start, end)`. */
  of(bytes: Buffer, start: number, end: number): T {
    const length = end - start;
    let hash = length;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    const bucket = (hash ^ (hash >>> 15)) & (BUCKETS - 1);
    for (let entry = this.buckets[bucket]!; entry !== null; entry = entry.next!) {
      if (entry.bytes.length === length && isSame(entry.bytes, bytes, start)) return entry.value;
    }
    if (this.size === this.limit) {
      this.buckets = new Array(BUCKETS).fill(null);
      this.size = 0;
    }
    const value = this.make(bytes.toString('utf8', start, end));
    const copied = Uint8Array.prototype.slice.call(bytes, start, end);
    this.buckets[bucket] = { bytes: copied, value, next: this.buckets[bucket]! };
    this.size++;
    return value;
  }
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < known.length; at++) if (known[at] !== bytes[start + at]) return false;
  return true;
}
