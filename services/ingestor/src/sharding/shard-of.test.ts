import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeBy, shardOf } from './shard-of.ts';

const unit = fc
  .tuple(
    fc.constantFrom('binance', 'bybit-spot', 'okx', 'kraken'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  )
  .map(([exchange, symbol]) => `${exchange}:${symbol}`);
const units = fc.uniqueArray(unit, { maxLength: 60 });
const count = fc.integer({ min: 1, max: 24 });

/** Names as exchanges have them: alike but for a few letters, which is what a weak hash stumbles over. */
function listing(size: number): string[] {
  const exchanges = ['binance', 'bybit-spot', 'okx', 'kraken'];
  return Array.from({ length: size }, (_, at) => {
    const coin = (at >> 2)
      .toString(26)
      .replace(/./g, (digit) => String.fromCharCode(65 + Number.parseInt(digit, 26)));
    return `${exchanges[at & 3]}:${coin.padStart(3, 'A')}-USDT`;
  });
}

describe('shardOf', () => {
  it('gives each unit exactly one shard that exists', () => {
    fc.assert(
      fc.property(unit, count, (name, shards) => {
        const owner = shardOf(name, shards, [], []);
        expect(Number.isInteger(owner) && owner >= 0 && owner < shards).toBe(true);
      }),
    );
  });

  it('depends on nothing but the unit and the configuration: others come and go without moving it', () => {
    fc.assert(
      fc.property(units, unit, count, (others, name, shards) => {
        const place = placeBy({ count: shards, pins: [], exclusive: [] });
        const alone = shardOf(name, shards, [], []);
        const among = new Map([...others, name].map((each) => [each, place(each)]));
        expect(among.get(name)).toBe(alone);
        expect([...others].reverse().map((each) => shardOf(each, shards, [], []))).toEqual(
          [...others].reverse().map((each) => among.get(each)),
        );
      }),
    );
  });

  it('obeys pins first, and moves nothing else for them', () => {
    fc.assert(
      fc.property(units, unit, count, fc.nat(), (others, name, shards, wanted) => {
        const pins = [{ unit: name, shard: wanted % shards }];
        expect(shardOf(name, shards, pins, [])).toBe(wanted % shards);
        for (const other of others.filter((each) => each !== name)) {
          expect(shardOf(other, shards, pins, [])).toBe(shardOf(other, shards, [], []));
        }
      }),
    );
  });

  it('gives an exclusive shard its units and no others, and moves only what it owned', () => {
    fc.assert(
      fc.property(units, unit, fc.integer({ min: 2, max: 24 }), fc.nat(), (others, name, shards, at) => {
        const shard = at % shards;
        const exclusive = [{ shard, units: [name] }];
        expect(shardOf(name, shards, [], exclusive)).toBe(shard);
        for (const other of others.filter((each) => each !== name)) {
          const before = shardOf(other, shards, [], []);
          const after = shardOf(other, shards, [], exclusive);
          if (before === shard) expect(after).not.toBe(shard);
          else expect(after).toBe(before);
        }
      }),
    );
  });

  it('moves units only to the new shard when one is added, about 1/(N+1) of them', () => {
    const names = listing(8000);
    for (const shards of [1, 2, 3, 7, 8, 15, 31]) {
      const moved = names.filter(
        (name) => shardOf(name, shards, [], []) !== shardOf(name, shards + 1, [], []),
      );
      for (const name of moved) expect(shardOf(name, shards + 1, [], [])).toBe(shards);
      const expected = names.length / (shards + 1);
      // The names are fixed, so this never flickers; six deviations of a binomial leave room for another hash.
      const deviation = Math.sqrt(expected * (1 - 1 / (shards + 1)));
      expect(Math.abs(moved.length - expected)).toBeLessThan(6 * deviation);
    }
  });

  it('spreads alike names evenly', () => {
    const names = listing(8000);
    for (const shards of [2, 3, 8, 12, 32]) {
      const sizes = new Array<number>(shards).fill(0);
      for (const name of names) sizes[shardOf(name, shards, [], [])]!++;
      const expected = names.length / shards;
      const chiSquare = sizes.reduce((sum, size) => sum + (size - expected) ** 2 / expected, 0);
      // Mean shards − 1, deviation √(2(shards − 1)).
      expect(chiSquare).toBeLessThan(shards - 1 + 6 * Math.sqrt(2 * (shards - 1)));
    }
  });

  it('refuses to place without shards', () => {
    expect(() => shardOf('okx:BTC-USDT', 0, [], [])).toThrow('no shards');
    expect(() => shardOf('okx:BTC-USDT', 1, [], [{ shard: 0, units: [] }])).toThrow('exclusive');
  });

  // These hold for life: another value means that every installation's units move.
  it.each(golden())('golden: %s of %i is on %i', (name, shards, shard) => {
    expect(shardOf(name, shards, [], [])).toBe(shard);
  });
});

function golden(): readonly (readonly [string, number, number])[] {
  return [
    ['binance:BTC-USDT', 2, 0],
    ['binance:BTC-USDT', 8, 3],
    ['binance:ETH-USDT', 8, 2],
    ['bybit-spot:BTC-USDT', 8, 5],
    ['okx:BTC-USDT', 8, 3],
    ['kraken:BTC-USD', 8, 0],
    ['kraken:XBT-EUR', 3, 0],
    ['okx:SOL-USDC', 64, 13],
    ['binance:币安人生-USDT', 8, 7],
    ['binance:A-B', 1000, 195],
    ['', 5, 1],
  ];
}
