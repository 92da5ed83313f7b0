import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { MAX_TICK_BYTES } from './avro-writer.ts';
import type { Quote, Status, Trade } from './generated/records.ts';
import { encodeProtoPrefix, encodeStatusProto, writeQuoteProto, writeTradeProto } from './proto-writer.ts';
import { envelopeOf, quoteDraftOf, quotes, tradeDraftOf, trades } from './testing/tick-records.ts';
import { writeUnsignedVarint } from './varint.ts';

const proto = protobuf.loadSync(
  fileURLToPath(new URL('../proto/tickline/market_data/v1/market_data.proto', import.meta.url)),
);
const target = new Uint8Array(MAX_TICK_BYTES + 3);

function prefixOf(record: Trade | Quote): Uint8Array {
  return encodeProtoPrefix(record.exchange, record.symbol, record.exchangeSymbol, record.producer);
}

/** The record as protobufjs reads it: its names, missing fields as null. */
function decoded(message: 'Trade' | 'Quote' | 'Status', bytes: Uint8Array): Record<string, unknown> {
  const type = proto.lookupType(`tickline.market_data.v1.${message}`);
  const plain = type.toObject(type.decode(bytes), { longs: Number, enums: String });
  return Object.fromEntries(
    type.fieldsArray.map(({ name }) => {
      const value: unknown = plain[name] ?? null;
      if (name === 'side') return [name, value === 'SIDE_BUY' ? 'buy' : 'sell'];
      return [name.replace(/Micros$/, ''), value];
    }),
  );
}

describe('our protobuf writer', () => {
  it('writes trades as protobufjs reads them', () => {
    fc.assert(
      fc.property(trades, (trade) => {
        const end = writeTradeProto(target, 3, prefixOf(trade), envelopeOf(trade), tradeDraftOf(trade));
        expect(decoded('Trade', target.subarray(3, end))).toEqual(trade);
      }),
    );
  });

  it('writes quotes so, and says where `conflated` lies', () => {
    fc.assert(
      fc.property(quotes, (quote) => {
        const envelope = envelopeOf({ ...quote, conflated: 0 });
        const end = writeQuoteProto(target, 3, prefixOf(quote), envelope, quoteDraftOf(quote));
        const count = new Uint8Array(5);
        const spliced = Buffer.concat([
          target.subarray(3, envelope.conflatedAt),
          count.subarray(0, writeUnsignedVarint(count, 0, quote.conflated)),
          target.subarray(envelope.conflatedAt + 1, end),
        ]);
        expect(decoded('Quote', spliced)).toEqual(quote);
      }),
    );
  });

  it('writes status records so', () => {
    const status: Status = {
      exchange: 'okx',
      symbol: 'BTC-USDT',
      exchangeSymbol: 'BTC-USDT',
      channel: 'trades',
      producer: 'p',
      session: 's',
      time: 1_781_337_600_455_123,
      state: 'gap',
      reason: 'connection lost',
      firstId: '5',
      lastId: '9',
      firstTime: 1_781_337_600_000_000,
      lastTime: 1_781_337_600_000_001,
      count: 5,
    };
    expect(decoded('Status', encodeStatusProto(status))).toEqual(status);
    const bare = {
      ...status,
      session: null,
      firstId: null,
      lastId: null,
      firstTime: null,
      lastTime: null,
      count: null,
    };
    expect(decoded('Status', encodeStatusProto(bare))).toEqual(bare);
  });
});
