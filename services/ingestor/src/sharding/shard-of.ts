/** A unit that is owned by one shard whatever the hash says. */
export interface PinnedUnit {
  /** `exchange:symbol`. */
  readonly unit: string;
  readonly shard: number;
}

/** A shard that owns these units and nothing else. */
export interface ExclusiveUnits {
  readonly shard: number;
  readonly units: readonly string[];
}

/** What decides who owns a unit, besides the unit's name. */
export interface Placement {
  readonly count: number;
  readonly pins: readonly PinnedUnit[];
  readonly exclusive: readonly ExclusiveUnits[];
}

/** The name of a unit: `binance:BTC-USDT`. */
export function unitOf(exchange: string, symbol: string): string {
  return `${exchange}:${symbol}`;
}

/**
 * The shard that owns a unit: its pin; else the exclusive shard that names it; else the shard of all
 * that are not exclusive whose {@link shardScore} is highest (rendezvous hashing: Thaler and
 * Ravishankar, 1998). It depends on nothing else, so pods that learned of a listing at different
 * times agree, and no unit moves because another comes or goes.
 */
export function shardOf(
  unit: string,
  shardCount: number,
  pins: readonly PinnedUnit[],
  exclusive: readonly ExclusiveUnits[],
): number {
  return placeBy({ count: shardCount, pins, exclusive })(unit);
}

/** {@link shardOf} for many units of one placement: pins and exclusive shards are looked up in tables. */
export function placeBy({ count, pins, exclusive }: Placement): (unit: string) => number {
  if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`no shards: count is ${count}`);
  const placed = new Map<string, number>();
  const alone = new Set<number>();
  for (const { shard, units } of exclusive) {
    alone.add(shard);
    for (const unit of units) placed.set(unit, shard);
  }
  for (const { unit, shard } of pins) placed.set(unit, shard);
  const shared = Array.from({ length: count }, (_, shard) => shard).filter((shard) => !alone.has(shard));
  if (shared.length === 0)
    throw new RangeError(`all of ${count} shards are exclusive: none is left for other units`);
  return (unit) => placed.get(unit) ?? highest(unit, shared);
}

function highest(unit: string, shards: readonly number[]): number {
  const [high, low] = hash64(unit);
  let best = shards[0]!;
  let bestScore = -1;
  for (const shard of shards) {
    const score = shardScore(high, low, shard);
    // Two of 2^53 equal scores: the lower shard has it, on every pod.
    if (score > bestScore) {
      best = shard;
      bestScore = score;
    }
  }
  return best;
}

/**
 * 53 well-mixed bits of a unit's hash and a shard. Both halves of the hash go into both words, so
 * that units whose halves agree in part still rank the shards independently.
 */
function shardScore(high: number, low: number, shard: number): number {
  const step = Math.imul(shard + 1, 0x9e3779b9);
  const first = mix32(high ^ mix32(low + step));
  const second = mix32(low ^ mix32(first + step));
  return (first >>> 0) * 0x20_0000 + (second >>> 11);
}

/**
 * A 64-bit hash of the text's UTF-8 bytes in two words: FNV-1a (32 bit), and a second one of its kind
 * with another start and multiplier that folds its high bits back; each is mixed at the end. Fixed for life: changing it would move every unit of every
 * installation, so golden values in the tests hold it in place.
 */
function hash64(text: string): readonly [number, number] {
  let high = 0x811c9dc5;
  let low = 0x2f0b4a27;
  for (const byte of Buffer.from(text, 'utf8')) {
    high = Math.imul(high ^ byte, 0x01000193);
    low = Math.imul(low ^ byte, 0x85ebca6b) ^ (low >>> 15);
  }
  return [mix32(high), mix32(low)];
}

/** The finalizer of MurmurHash3 (Appleby, public domain): every input bit reaches every output bit. */
function mix32(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
