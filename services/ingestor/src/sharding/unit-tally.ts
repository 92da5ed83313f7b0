import { createHash } from 'node:crypto';
import { unitOf } from './shard-of.ts';

/** How a symbol came into the configuration: by its name, or as one of a pattern's such as `*-USDT`. */
export const GIVEN = ['name', 'pattern'] as const;
export type Given = (typeof GIVEN)[number];

/**
 * Units, each counted once for each shard that owns it, and the sum of their hashes (32 bits each: exact in a
 * double for two million of them). Two sums of equal count and hash are of the same units, as far as anybody
 * will live to see.
 */
export interface UnitSum {
  readonly count: number;
  readonly hash: number;
}

/** The units of one exchange: those of the whole configuration, and those that one shard owns. */
export interface UnitTally {
  readonly configured: UnitSum;
  readonly owned: UnitSum;
}

/** Whose units are counted. */
export interface TalliedShard {
  readonly exchange: string;
  readonly shard: number;
  /** The shards that own a symbol of the exchange. */
  readonly owners: (symbol: string) => readonly number[];
}

/**
 * Counts units so that a symbol that no shard owns, or two, is found by adding up what the shards say: without
 * a series for each symbol. Over all shards `owned` sums up to `configured`; it does as well while
 * `shard.previousCount` is set and units have two owners.
 */
export function tallyUnits({ exchange, shard, owners }: TalliedShard, symbols: Iterable<string>): UnitTally {
  const configured = { count: 0, hash: 0 };
  const owned = { count: 0, hash: 0 };
  for (const symbol of symbols) {
    const hash = hash32(unitOf(exchange, symbol));
    for (const owner of owners(symbol)) {
      for (const sum of owner === shard ? [configured, owned] : [configured]) {
        sum.count++;
        sum.hash += hash;
      }
    }
  }
  return { configured, owned };
}

function hash32(unit: string): number {
  return createHash('sha256').update(unit).digest().readUInt32BE(0);
}
