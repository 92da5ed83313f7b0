import { type Fragment, fragmentOf } from './fragment.ts';

const SLOTS = 8192;
/** Heads that are remembered at most: then it begins anew. */
const MOST_HEADS = SLOTS / 4;

interface Head {
  readonly hash: number;
  readonly key: DataView;
  readonly text: Fragment;
}

/**
 * What a row begins with, by the bytes of the record that it is made of: exchange, names, producer and session are the
 * same in thousands of ticks, and to look five texts up at once costs less than to write one of them. What is known
 * was found to be UTF-8 before it was written: it is not looked at again.
 */
export class HeadMemo {
  private heads: (Head | undefined)[] = new Array(SLOTS).fill(undefined);
  private size = 0;
  /** Of the last `find`: where the head belongs. */
  private slot = 0;
  private hash = 0;

  /** The row's beginning for `bytes[start, end)`; null: not known, `keep` is to be called when it is written. */
  find(bytes: DataView, start: number, end: number): Fragment | null {
    const hash = hashOf(bytes, start, end);
    let slot = hash & (SLOTS - 1);
    for (let head = this.heads[slot]; head !== undefined; head = this.heads[slot]) {
      if (head.hash === hash && isSame(head.key, bytes, start, end)) return head.text;
      slot = (slot + 1) & (SLOTS - 1);
    }
    this.hash = hash;
    this.slot = slot;
    return null;
  }

  /** Remembers the text for the bytes that `find` was last asked for, and did not know. */
  keep(bytes: Uint8Array, start: number, end: number, text: Uint8Array): void {
    if (this.size === MOST_HEADS) {
      this.heads = new Array(SLOTS).fill(undefined);
      this.size = 0;
    }
    const key = Uint8Array.prototype.slice.call(bytes, start, end);
    this.heads[this.slot] = {
      hash: this.hash,
      key: new DataView(key.buffer, key.byteOffset, key.byteLength),
      text: fragmentOf(text),
    };
    this.size++;
  }
}

function isSame(key: DataView, bytes: DataView, start: number, end: number): boolean {
  if (key.byteLength !== end - start) return false;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    if (bytes.getBigInt64(at, true) !== key.getBigInt64(at - start, true)) return false;
  }
  for (; at < end; at++) if (bytes.getUint8(at) !== key.getUint8(at - start)) return false;
  return true;
}

/** Two lanes, for a processor multiplies for both at once. */
function hashOf(bytes: DataView, start: number, end: number): number {
  let left = end - start;
  let right = 0;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    left = Math.imul(left ^ bytes.getInt32(at, true), 0x9e3779b1);
    right = Math.imul(right ^ bytes.getInt32(at + 4, true), 0x85ebca6b);
    left ^= left >>> 15;
    right ^= right >>> 13;
  }
  for (; at < end; at++) left = Math.imul(left ^ bytes.getUint8(at), 0x9e3779b1);
  left = Math.imul(left ^ right, 0x9e3779b1);
  return left ^ (left >>> 15);
}
