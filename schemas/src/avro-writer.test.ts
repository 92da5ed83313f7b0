import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroType } from './avro-types.ts';
import {
  encodeTickPrefix,
  MAX_TICK_BYTES,
  SessionText,
  TickEnvelope,
  writeQuote,
  writeTrade,
  writeVarint,
} from './avro-writer.ts';
import { frameValue } from './confluent-format.ts';
import type { Quote, Trade } from './generated/records.ts';
import { envelopeOf, quoteDraftOf, quotes, tradeDraftOf, trades } from './testing/tick-records.ts';
import { QuoteDraft } from './tick.ts';

const target = new Uint8Array(MAX_TICK_BYTES + 3);

function prefixOf(record: Trade | Quote): Uint8Array {
  return encodeTickPrefix(77, record.exchange, record.symbol, record.exchangeSymbol, record.producer);
}

describe('our Avro writer', () => {
  it('writes trades byte for byte as avsc does', () => {
    const oracle = avroType('trades');
    fc.assert(
      fc.property(trades, (trade) => {
        const end = writeTrade(target, 3, prefixOf(trade), envelopeOf(trade), tradeDraftOf(trade));
        expect(Buffer.from(target.subarray(3, end))).toEqual(frameValue(77, oracle.toBuffer(trade)));
      }),
    );
  });

  it('writes quotes byte for byte as avsc does, and says where `conflated` lies', () => {
    const oracle = avroType('quotes');
    fc.assert(
      fc.property(quotes, (quote) => {
        const envelope = envelopeOf({ ...quote, conflated: 0 });
        const end = writeQuote(target, 3, prefixOf(quote), envelope, quoteDraftOf(quote));
        const count = new Uint8Array(5);
        const spliced = Buffer.concat([
          target.subarray(3, envelope.conflatedAt),
          count.subarray(0, writeVarint(count, 0, quote.conflated)),
          target.subarray(envelope.conflatedAt + 1, end),
        ]);
        expect(spliced).toEqual(frameValue(77, oracle.toBuffer(quote)));
      }),
    );
  });

  it('fits MAX_TICK_BYTES at the longest names and ids', () => {
    const long = 'ß'.repeat(64);
    const quote = new QuoteDraft();
    for (const side of [
      quote.bidPrice,
      quote.bidQuantity,
      quote.askPrice,
      quote.askQuantity,
      quote.bidContracts,
      quote.askContracts,
    ]) {
      side.setUnscaled(10n ** 38n - 1n);
    }
    const idBytes = Buffer.alloc(128, 0x39);
    quote.updateId.set(idBytes, 0, idBytes.length);
    const envelope = new TickEnvelope();
    envelope.session = new SessionText('s'.repeat(12));
    const end = writeQuote(
      Buffer.alloc(MAX_TICK_BYTES),
      0,
      encodeTickPrefix(1, long, long, long, long),
      envelope,
      quote,
    );
    expect(end).toBeLessThan(MAX_TICK_BYTES);
  });
});
