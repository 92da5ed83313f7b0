/**
 * A small seeded generator (mulberry32): the same seed gives the same market on every machine.
 * Integers only, because prices and quantities are made from it and must never pass through a fraction.
 */
export class Random {
  #state: number;

  /** @param seed any integer; only its low 32 bits count */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** The next 32 bits as an unsigned integer. */
  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** An integer in `[0, limit)`, for `1 <= limit <= 2^32`; the slight bias of the remainder is of no matter here. */
  below(limit: number): number {
    return this.uint32() % limit;
  }

  /** True once in `n` draws on average. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }
}

/** Spreads an integer over 32 bits: derives independent values from a seed and a counter. */
export function mix32(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const hex = (value: number): string => value.toString(16).padStart(8, '0');

/** A text in the form of a random UUID (version 5, as Bybit's trade ids look), a pure function of seed and counter. */
export function uuidOf(seed: number, counter: number): string {
  const low = counter >>> 0;
  const high = Math.floor(counter / 0x1_0000_0000);
  const a = hex(mix32(low ^ mix32(seed ^ 0x9e3779b9)));
  const b = hex(mix32(low + mix32(seed + 0x51ed270b + high)));
  const c = hex(mix32(low + mix32(seed + 0x2545f491 + high)));
  const d = hex((low ^ mix32(seed ^ high)) >>> 0);
  const variant = '89ab'[Number.parseInt(c[0] ?? '0', 16) & 3];
  return `${a}-${b.slice(0, 4)}-5${b.slice(5)}-${variant}${c.slice(1, 4)}-${c.slice(4)}${d}`;
}
