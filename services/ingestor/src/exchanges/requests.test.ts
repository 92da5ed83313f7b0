import { EXCHANGES } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import { frameInstruments } from '../../../../test/frames/instruments.ts';
import { documentedLimits, exchanges } from './registry.ts';

function topicsOf(exchange: (typeof EXCHANGES)[number], channel: 'trades' | 'quotes') {
  return frameInstruments[exchange].map((instrument) => exchanges[exchange].topic(channel, instrument));
}

describe('requests', () => {
  it('binance', () => {
    const { subscribe, unsubscribe, socketUrl, heartbeat } = exchanges.binance;
    const topics = [...topicsOf('binance', 'trades'), topicsOf('binance', 'quotes')[0]!];
    expect(JSON.parse(subscribe(topics, 17))).toEqual({
      method: 'SUBSCRIBE',
      params: ['btcusdt@trade', 'ethusdt@trade', '币安人生usdt@trade', 'btcusdt@bookTicker'],
      id: 17,
    });
    expect(JSON.parse(unsubscribe(topics.slice(0, 1), 18))).toEqual({
      method: 'UNSUBSCRIBE',
      params: ['btcusdt@trade'],
      id: 18,
    });
    expect(socketUrl('wss://host:1/')).toBe('wss://host:1/stream');
    expect(heartbeat.kind).toBe('websocket');
  });

  it('bybit-spot', () => {
    const { subscribe, unsubscribe, socketUrl, heartbeat } = exchanges['bybit-spot'];
    const topics = [topicsOf('bybit-spot', 'trades')[0]!, topicsOf('bybit-spot', 'quotes')[0]!];
    expect(JSON.parse(subscribe(topics, 7))).toEqual({
      req_id: '7',
      op: 'subscribe',
      args: ['publicTrade.BTCUSDT', 'orderbook.1.BTCUSDT'],
    });
    expect(JSON.parse(unsubscribe(topics, 8))).toMatchObject({ req_id: '8', op: 'unsubscribe' });
    expect(topics.map(({ characters }) => characters)).toEqual([22, 22]);
    expect(socketUrl('wss://host:1')).toBe('wss://host:1/v5/public/spot');
    expect(JSON.parse(heartbeat.ping(9))).toEqual({ req_id: '9', op: 'ping' });
  });

  it('okx', () => {
    const { subscribe, unsubscribe, socketUrl, heartbeat } = exchanges.okx;
    const topics = [topicsOf('okx', 'trades')[0]!, topicsOf('okx', 'quotes')[0]!];
    const args = [
      { channel: 'trades', instId: 'BTC-USDT' },
      { channel: 'bbo-tbt', instId: 'BTC-USDT' },
    ];
    expect(JSON.parse(subscribe(topics, 17))).toEqual({ id: '17', op: 'subscribe', args });
    expect(JSON.parse(unsubscribe(topics, 18))).toEqual({ id: '18', op: 'unsubscribe', args });
    expect(socketUrl('wss://host:1')).toBe('wss://host:1/ws/v5/public');
    expect(heartbeat.ping(1)).toBe('ping');
  });

  it('kraken', () => {
    const { subscribe, unsubscribe, socketUrl, heartbeat } = exchanges.kraken;
    const [trades, quotes] = [topicsOf('kraken', 'trades'), topicsOf('kraken', 'quotes')];
    expect(JSON.parse(subscribe(trades, 1))).toEqual({
      method: 'subscribe',
      params: { channel: 'trade', symbol: ['BTC/USD'], snapshot: false },
      req_id: 1,
    });
    expect(JSON.parse(subscribe(quotes, 2))).toEqual({
      method: 'subscribe',
      params: { channel: 'ticker', symbol: ['BTC/USD'], event_trigger: 'bbo', snapshot: true },
      req_id: 2,
    });
    expect(JSON.parse(unsubscribe(quotes, 3))).toEqual({
      method: 'unsubscribe',
      params: { channel: 'ticker', symbol: ['BTC/USD'], event_trigger: 'bbo' },
      req_id: 3,
    });
    expect(trades[0]!.requestGroup).not.toBe(quotes[0]!.requestGroup);
    expect(socketUrl('wss://host:1')).toBe('wss://host:1/v2');
    expect(JSON.parse(heartbeat.ping(4))).toEqual({ method: 'ping', req_id: 4 });
  });

  it.each(EXCHANGES)('%s: topic names are unique on a connection', (exchange) => {
    const names = [...topicsOf(exchange, 'trades'), ...topicsOf(exchange, 'quotes')].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(EXCHANGES)('%s: no limit of ours is above the documented one', (exchange) => {
    const { limits, name } = exchanges[exchange];
    expect(name).toBe(exchange);
    for (const [key, allowed] of Object.entries(documentedLimits[exchange])) {
      expect(limits[key as keyof typeof limits], key).toBeLessThanOrEqual(allowed);
    }
    // What a token bucket lets out in one second.
    const perSecond = documentedLimits[exchange].messagesPerSecond ?? Number.POSITIVE_INFINITY;
    expect(limits.messagesPerSecond + limits.messageBurst).toBeLessThanOrEqual(perSecond);
  });

  it.each(EXCHANGES)('%s: a full request fits its size', (exchange) => {
    const { limits, topic, subscribe } = exchanges[exchange];
    const instrument = { ...frameInstruments[exchange][0]!, exchangeSymbol: '1000000BABYDOGE-USDT' };
    const many = Array.from({ length: limits.topicsPerRequest }, () => topic('trades', instrument));
    expect(Buffer.byteLength(subscribe(many, 1_000_000))).toBeLessThanOrEqual(limits.requestBytes);
  });
});
