import type { Status } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import { findings, isComplete } from './findings.ts';
import { concernsAudit, ToldLosses } from './told-losses.ts';
import { UnitAudit } from './unit-audit.ts';

function unitWith(exchange: string, sequences: readonly number[]): UnitAudit {
  const unit = new UnitAudit(exchange, 'BTC-USDT', true, false);
  for (const sequence of sequences) {
    unit.take({
      producer: sequence > 50 ? 1 : 0,
      sequence,
      conflated: 0,
      receiveTime: sequence * 1000,
      tradeId: exchange === 'bybit-spot' ? `id-${sequence}` : String(sequence),
      fillCount: 1,
      isInside: true,
    });
  }
  return unit;
}

function status(more: Partial<Status>): Status {
  return {
    exchange: 'binance',
    symbol: 'BTC-USDT',
    exchangeSymbol: 'BTCUSDT',
    channel: 'trades',
    producer: 'p',
    session: null,
    time: 0,
    state: 'gap',
    reason: 'trade ids jump',
    firstId: null,
    lastId: null,
    firstTime: null,
    lastTime: null,
    count: null,
    ...more,
  };
}

function rowOf(exchange: string, sequences: readonly number[], told: readonly Partial<Status>[]) {
  const losses = new ToldLosses();
  for (const each of told) losses.add(status({ exchange, ...each }));
  return findings([unitWith(exchange, sequences)], 'trades', losses, ['first', 'second'])[0]!;
}

describe('findings', () => {
  it.each<[what: string, told: Partial<Status>[], reason: string | null]>([
    ['nothing was told', [], null],
    ['its ids are told', [{ firstId: '3', lastId: '5' }], 'gap: trade ids jump'],
    [
      'two records tell a part each',
      [
        { firstId: '3', lastId: '3' },
        { firstId: '4', lastId: '5' },
      ],
      'gap: trade ids jump',
    ],
    ['only a part is told', [{ firstId: '3', lastId: '4' }], null],
    ['other ids are told', [{ firstId: '6', lastId: '9', firstTime: 1, lastTime: 9000 }], null],
    ['its time is told', [{ firstTime: 2000, lastTime: 6000, reason: 'session lost' }], 'gap: session lost'],
    ['another time is told', [{ firstTime: 6001, lastTime: 9000 }], null],
    ['another symbol is told', [{ symbol: 'ETH-USDT', firstId: '3', lastId: '5' }], null],
    ['another channel is told', [{ channel: 'quotes', firstId: '3', lastId: '5' }], null],
    ['it is no loss that was told', [{ state: 'live', firstId: '3', lastId: '5' }], null],
  ])('explains a hole when %s', (_what, told, reason) => {
    const row = rowOf('binance', [1, 2, 6, 7], told);
    expect(row.idHoles).toEqual([
      {
        first: 3,
        last: 5,
        count: 3,
        afterTime: 2000,
        beforeTime: 6000,
        afterProducer: 'first',
        beforeProducer: 'first',
        told: reason,
      },
    ]);
    expect(row).toMatchObject({ missingIds: 3, missingSequences: 3, proof: 'trade ids and sequence' });
    expect(isComplete(row)).toBe(false);
  });

  it('explains missing sequences by time, where ids prove nothing', () => {
    const row = rowOf('bybit-spot', [1, 2, 6], [{ firstTime: 2000, lastTime: 6000, reason: 'queue full' }]);
    expect(row).toMatchObject({
      proof: 'sequence',
      missingIds: null,
      missingSequences: 3,
      told: 3,
      idHoles: [],
    });
    expect(row.sequenceHoles).toMatchObject([{ producer: 'first', told: 'gap: queue full' }]);
  });

  it('names the producers on both sides of a hole, and why ticks repeat', () => {
    const row = rowOf('binance', [49, 60, 60], [{ state: 'repeated', reason: 'no answer from the broker' }]);
    expect(row.idHoles).toMatchObject([
      { first: 50, last: 59, afterProducer: 'first', beforeProducer: 'second' },
    ]);
    expect(row).toMatchObject({ duplicates: 1, duplicatesTold: 'repeated: no answer from the broker' });
    expect(rowOf('binance', [1, 2], []).duplicatesTold).toBeNull();
  });

  it('finds nothing where nothing is missing', () => {
    const row = rowOf('okx', [1, 2, 3], [{ firstId: '1', lastId: '2' }]);
    expect(row).toMatchObject({
      missingIds: 0,
      missingSequences: 0,
      told: 0,
      idHoles: [],
      sequenceHoles: [],
    });
    expect(isComplete(row)).toBe(true);
  });
});

describe('concernsAudit', () => {
  it.each([
    ['gap', true],
    ['shedding', true],
    ['repeated', true],
    ['live', false],
    ['stale', false],
    ['reconnected', false],
  ])('%s: %s', (state, concerns) => {
    expect(concernsAudit(state)).toBe(concerns);
  });
});
