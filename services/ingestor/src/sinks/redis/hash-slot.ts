/** Slots of a Redis Cluster. */
export const SLOTS = 16_384;

/**
 * The slot of a key: CRC-16/XMODEM of it modulo 16384, or of its hash tag, which is what stands between the first `{`
 * and the next `}` unless that is nothing. Source: Redis Cluster specification, "Hash tags".
 */
export function hashSlot(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(hashTag(key) ?? key)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0);
    crc &= 0xffff;
  }
  return crc % SLOTS;
}

/** What alone decides a key's slot; null: the whole key does. */
export function hashTag(key: string): string | null {
  const open = key.indexOf('{');
  const close = open === -1 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : null;
}

/** A key that begins with another one, for the same slot. */
export function keyBeside(key: string, suffix: string): string {
  // A `{` that opens no hash tag would open one in a longer key: such a key has no neighbour with its own name.
  if (hashTag(key) === null && /[{}]/.test(key)) throw new Error(`no hash tag can be made of the key ${key}`);
  return hashTag(key) === null ? `{${key}}${suffix}` : `${key}${suffix}`;
}
