import { avroType, frameValue, type Quote, schemaText, type Trade } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import { StampReader, stampOf, tickIdentity } from './tick-identity.ts';

const tick = {
  exchange: 'kraken',
  symbol: 'BTC-USD',
  exchangeSymbol: 'BTC/USD',
  producer: 'p',
  session: 's',
  exchangeTime: 1_763_668_414_462_081,
  receiveTime: 1_763_668_414_470_000,
  sequence: 7,
  conflated: 0,
};
const trade = {
  ...tick,
  price: '64250.1',
  quantity: '0.5',
  contracts: null,
  side: 'buy',
  tradeId: '93',
  fillCount: null,
};
const quote = {
  ...tick,
  bidPrice: '64250.1',
  bidQuantity: '1',
  askPrice: null,
  askQuantity: null,
  bidContracts: null,
  askContracts: null,
  updateId: null,
};

describe('StampReader', () => {
  it('reads the identifying fields of both channels through the writer’s schema', async () => {
    const asked: number[] = [];
    for (const [channel, record, id] of [
      ['trades', trade, '93'],
      ['quotes', quote, null],
    ] as const) {
      const reader = new StampReader(channel, async (schemaId) => {
        asked.push(schemaId);
        return schemaText(channel);
      });
      const value = frameValue(12, avroType(channel).toBuffer(record));
      await reader.prepare([value, value]);
      await reader.prepare([value]);
      const { session: _session, ...stamp } = tick;
      expect(reader.read(value)).toEqual({ ...stamp, id });
      // The decoded record says the same.
      expect(stampOf(channel, record as unknown as Trade & Quote)).toEqual({ ...stamp, id });
    }
    expect(asked).toEqual([12, 12]);
  });

  it('refuses what it has no schema for', () => {
    const reader = new StampReader('trades', async () => '');
    expect(() => reader.read(frameValue(9, Buffer.alloc(0)))).toThrow('not prepared');
  });
});

describe('tickIdentity', () => {
  it('tells channels, symbols and ids apart, and goes by time where there is no id', () => {
    const trades = { channel: 'trades', exchangeSymbol: 'BTCUSDT', id: '5', exchangeTime: 1 } as const;
    expect(tickIdentity(trades)).toBe(tickIdentity({ ...trades, exchangeTime: null }));
    const others = [
      { ...trades, channel: 'quotes' as const },
      { ...trades, exchangeSymbol: 'ETHUSDT' },
      { ...trades, id: '6' },
      { ...trades, id: null },
      { ...trades, id: null, exchangeTime: 2 },
    ];
    expect(new Set([trades, ...others].map(tickIdentity)).size).toBe(6);
  });
});
