import { TICK_CHANNELS } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import { CHANNEL, ExchangeCounters, MESSAGE_CHANNELS } from './counters.ts';

describe('ExchangeCounters', () => {
  it('indexes ticks and messages by the same channel numbers', () => {
    TICK_CHANNELS.forEach((channel, index) => {
      expect(CHANNEL[channel]).toBe(index);
    });
    expect(MESSAGE_CHANNELS.map((channel) => CHANNEL[channel])).toEqual([0, 1, 2, 3, 4]);
  });

  it('counts a negative latency as clock skew only', () => {
    const counters = new ExchangeCounters('binance', []);
    counters.observeLatency(1_700_000_000_000_000, 1_700_000_000_000_001);
    expect(counters.clockSkew).toBe(1);
    expect(counters.latency.count).toBe(0);
    expect(counters.leastLatency.read(performance.now())).toBe(-1);
    counters.observeLatency(1_700_000_000_003_000, 1_700_000_000_000_000);
    counters.observeLatency(1_700_000_000_000_000, 1_700_000_000_000_000);
    expect(counters.clockSkew).toBe(1);
    expect(counters.latency.count).toBe(2);
    expect(counters.latency.sum).toBe(3);
  });

  it('starts every known reason at zero and adds unknown ones', () => {
    const counters = new ExchangeCounters('okx', ['not-json']);
    expect([...counters.invalid]).toEqual([['not-json', 0]]);
    counters.countInvalid('not-json');
    counters.countInvalid('unrequested');
    expect([...counters.invalid]).toEqual([
      ['not-json', 1],
      ['unrequested', 1],
    ]);
    expect(counters.invalidTotal).toBe(2);
  });

  it('sums its arrays', () => {
    const counters = new ExchangeCounters('kraken', []);
    counters.messages[CHANNEL.trades]! += 3;
    counters.messages[CHANNEL.invalid]! += 1;
    counters.ticks[CHANNEL.quotes]! += 2;
    counters.gaps[CHANNEL.trades]! += 5;
    expect([counters.messageTotal, counters.tickTotal, counters.gapTotal]).toEqual([4, 2, 5]);
    expect(ExchangeCounters.byTickChannel(counters.gaps)).toEqual([
      ['trades', 5],
      ['quotes', 0],
    ]);
  });
});
