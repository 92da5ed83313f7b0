import { ByteWords } from '../parquet/byte-words.ts';
import { type Fragment, fragmentOf } from './fragment.ts';

const SLOTS = 8192;
/** Heads that are remembered at most: then it begins anew. */
const MOST_HEADS = SLOTS / 4;

interface Head {
  readonly hash: number;
  readonly key: Uint8Array;
  readonly words: DataView;
  readonly text: Fragment;
}

/**
 * What a row begins with, by the bytes of the record that it is made of: exchange, names, producer and session are the
 * same in thousands of ticks, and to look five texts up at once costs less than to write one of them.
 */
export class HeadMemo {
  private heads: (Head | undefined)[] = new Array(SLOTS).fill(undefined);
  private size = 0;
  private readonly given = new ByteWords();
  /** Of the last `find`: where the head belongs. */
  private slot = 0;
  private hash = 0;

  /** The row's beginning for `bytes[start, end)`; null: not known, `keep` is to be called when it is written. */
  find(bytes: Uint8Array, start: number, end: number): Fragment | null {
    const words = this.given.of(bytes);
    const hash = hashOf(bytes, words, start, end);
    let slot = hash & (SLOTS - 1);
    for (let head = this.heads[slot]; head !== undefined; head = this.heads[slot]) {
      if (head.hash === hash && isSame(head, bytes, words, start, end)) return head.text;
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
    const words = new DataView(key.buffer, key.byteOffset, key.byteLength);
    this.heads[this.slot] = { hash: this.hash, key, words, text: fragmentOf(text) };
    this.size++;
  }
}

function isSame(head: Head, bytes: Uint8Array, words: DataView, start: number, end: number): boolean {
  if (head.key.length !== end - start) return false;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    if (words.getInt32(at) !== head.words.getInt32(at - start)) return false;
  }
  for (; at < end; at++) if (bytes[at] !== head.key[at - start]) return false;
  return true;
}

function hashOf(bytes: Uint8Array, words: DataView, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ words.getInt32(at), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x9e3779b1);
  return hash ^ (hash >>> 13);
}
