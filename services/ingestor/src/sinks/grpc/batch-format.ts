import type { Chunk } from './chunk-memory.ts';

/**
 * A TickBatch is written field by field as its ticks come (Protocol Buffers, "Encoding": a message is its
 * fields one after the other, in any order, and repeated ones just recur), so that the bytes of a tick, which
 * are made once for all clients, are never taken apart.
 */

/** Which field of `Tick` a message is: the tag of a length-delimited field 1, 2 or 3. */
export const TRADE_TAG = 0x0a;
export const QUOTE_TAG = 0x12;
export const STATUS_TAG = 0x1a;

/** `TickBatch.ticks` and `TickBatch.dropped`. */
const TICKS_TAG = 0x0a;
const DROPPED_TAG = 0x10;

/** Most that a tick takes besides its own bytes: two tags and two lengths. */
export const TICK_OVERHEAD = 12;
/** Most that `dropped` takes: a tag and ten bytes. */
export const DROPPED_BYTES = 11;

export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** Writes a whole number, 0 or more; returns where it ends. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let end = at;
  while (rest >= 0x80) {
    target[end++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[end++] = rest;
  return end;
}

/** Begins a tick whose message has so many bytes; returns where they go. */
export function beginTick(chunk: Chunk, kindTag: number, length: number): number {
  const { bytes } = chunk;
  bytes[chunk.end] = TICKS_TAG;
  let at = writeVarint(bytes, chunk.end + 1, 1 + varintBytes(length) + length);
  bytes[at] = kindTag;
  at = writeVarint(bytes, at + 1, length);
  return at;
}

export function writeDropped(chunk: Chunk, count: number): void {
  chunk.bytes[chunk.end] = DROPPED_TAG;
  chunk.end = writeVarint(chunk.bytes, chunk.end + 1, count);
}

/** Copies a part of one array into another. */
export function copyBytes(
  from: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  // For the hundred or two bytes of a tick a loop is quicker than `set` with its new view.
  let to = at;
  for (let index = start; index < end; index++) target[to++] = from[index]!;
  return to;
}
