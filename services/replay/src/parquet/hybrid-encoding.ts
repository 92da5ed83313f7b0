/**
 * Parquet's hybrid of runs and packed bits (parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing
 * Hybrid"), for definition levels and dictionary indexes.
 */

/** From so many equal values on, a run takes less room than packed groups of eight. */
const MIN_RUN = 16;
const GROUP = 8;

/** Most bytes that `encodeHybrid` writes. */
export function hybridBound(count: number, bitWidth: number): number {
  const groups = Math.ceil(count / GROUP) + 1;
  return groups * bitWidth + Math.ceil(count / GROUP) * 6 + 16;
}

/** How many bits a value up to `max` needs. */
export function bitWidthOf(max: number): number {
  return 32 - Math.clz32(max);
}

/**
 * Writes `values[0, count)`, each below 2^bitWidth, to `target` from `offset` on; returns the offset behind.
 * `target` has `hybridBound` bytes of room.
 */
export function encodeHybrid(
  values: Int32Array | Uint8Array,
  count: number,
  bitWidth: number,
  target: Uint8Array,
  offset: number,
): number {
  let at = offset;
  let packedFrom = 0;
  let index = 0;
  while (index < count) {
    const value = values[index]!;
    let end = index + 1;
    while (end < count && values[end] === value) end++;
    // Packed values go by whole groups of eight: what the last group lacks is taken from the run.
    const missing = (GROUP - ((index - packedFrom) % GROUP)) % GROUP;
    if (end - index - missing >= MIN_RUN) {
      const runFrom = index + missing;
      at = packGroups(values, packedFrom, runFrom, bitWidth, target, at);
      at = writeRun(value, end - runFrom, bitWidth, target, at);
      packedFrom = end;
    }
    index = end;
  }
  return packGroups(values, packedFrom, count, bitWidth, target, at);
}

function writeRun(
  value: number,
  length: number,
  bitWidth: number,
  target: Uint8Array,
  offset: number,
): number {
  let at = writeVarint(length * 2, target, offset);
  for (let bits = 0; bits < bitWidth; bits += 8) target[at++] = value >>> bits;
  return at;
}

/** `values[from, to)` as groups of eight; the last one is filled up with zeros (only at the end of all values). */
function packGroups(
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  bitWidth: number,
  target: Uint8Array,
  offset: number,
): number {
  if (from === to) return offset;
  const groups = Math.ceil((to - from) / GROUP);
  let at = writeVarint(groups * 2 + 1, target, offset);
  const end = at + groups * bitWidth;
  let held = 0;
  let heldBits = 0;
  for (let index = from; index < to; index++) {
    const value = values[index]!;
    held |= value << heldBits;
    heldBits += bitWidth;
    if (heldBits < 32) continue;
    target[at] = held;
    target[at + 1] = held >>> 8;
    target[at + 2] = held >>> 16;
    target[at + 3] = held >>> 24;
    at += 4;
    heldBits -= 32;
    held = heldBits === 0 ? 0 : value >>> (bitWidth - heldBits);
  }
  while (at < end) {
    target[at++] = held;
    held >>>= 8;
  }
  return at;
}

function writeVarint(value: number, target: Uint8Array, offset: number): number {
  let at = offset;
  let rest = value;
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}
