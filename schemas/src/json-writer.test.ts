import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_TICK_BYTES } from './avro-writer.ts';
import type { Quote, Trade } from './generated/records.ts';
import { encodeJsonPrefix, writeQuoteJson, writeTradeJson, writeWhole } from './json-writer.ts';
import { schemaText } from './schema-text.ts';
import { envelopeOf, quoteDraftOf, quotes, tradeDraftOf, trades } from './testing/tick-records.ts';

const target = Buffer.alloc(MAX_TICK_BYTES + 3);

function prefixOf(record: Trade | Quote): Uint8Array {
  return encodeJsonPrefix(record.exchange, record.symbol, record.exchangeSymbol, record.producer);
}

function fieldNames(topic: 'trades' | 'quotes'): string[] {
  return (JSON.parse(schemaText(topic)) as { fields: { name: string }[] }).fields.map(({ name }) => name);
}

describe('our JSON writer', () => {
  it('writes a trade as the plain JSON of its record, in its order', () => {
    fc.assert(
      fc.property(trades, (trade) => {
        const end = writeTradeJson(target, 3, prefixOf(trade), envelopeOf(trade), tradeDraftOf(trade));
        const read = JSON.parse(target.toString('utf8', 3, end)) as Trade;
        expect(read).toEqual(trade);
        expect(Object.keys(read)).toEqual(fieldNames('trades'));
      }),
    );
  });

  it('writes a quote so, and says where `conflated` lies', () => {
    fc.assert(
      fc.property(quotes, (quote) => {
        const envelope = envelopeOf({ ...quote, conflated: 0 });
        const end = writeQuoteJson(target, 3, prefixOf(quote), envelope, quoteDraftOf(quote));
        const text = Buffer.concat([
          target.subarray(3, envelope.conflatedAt),
          Buffer.from(String(quote.conflated)),
          target.subarray(envelope.conflatedAt + 1, end),
        ]).toString();
        const read = JSON.parse(text) as Quote;
        expect(read).toEqual(quote);
        expect(Object.keys(read)).toEqual(fieldNames('quotes'));
      }),
    );
  });

  it('escapes what an opaque id may hold', () => {
    const [trade] = fc.sample(trades, 1) as [Trade];
    const odd = { ...trade, tradeId: '"\\é币' };
    const end = writeTradeJson(target, 0, prefixOf(odd), envelopeOf(odd), tradeDraftOf(odd));
    expect(JSON.parse(target.toString('utf8', 0, end))).toEqual(odd);
  });

  it.each([0, 9, 10, 99, 100, 2 ** 31, 10 ** 15 - 1, 10 ** 15, Number.MAX_SAFE_INTEGER])(
    'writes %d',
    (value) => {
      expect(target.toString('latin1', 1, writeWhole(target, 1, value))).toBe(String(value));
    },
  );
});
