import type { ExchangeName } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import { frameInstruments } from '../../../../test/frames/instruments.ts';
import { Recorder } from '../../../../test/frames/recorder.ts';
import type { Control } from './exchange.ts';
import { InstrumentIndex } from './instrument-index.ts';
import { exchanges } from './registry.ts';
import { decodeFrame } from './testing/decode-frame.ts';

function controlOf(exchange: ExchangeName, frame: string): Control | undefined {
  const recorder = new Recorder();
  decodeFrame(exchanges[exchange].createDecoder(new InstrumentIndex()), frame, recorder);
  expect(recorder.controls.length + recorder.errors.length).toBe(1);
  return recorder.controls[0];
}

const nameOf = (exchange: ExchangeName, channel: 'trades' | 'quotes'): string =>
  exchanges[exchange].topic(channel, frameInstruments[exchange][0]!).name;

describe('control messages', () => {
  it.each<[ExchangeName, string, Control]>([
    ['binance', '{"result":null,"id":17}', { kind: 'ack', request: 17, topics: null }],
    ['binance', '{"id":"17","result":null}', { kind: 'ack', request: 17, topics: null }],
    ['binance', '{"result":null,"id":null}', { kind: 'ack', request: null, topics: null }],
    [
      'binance',
      '{"code":2,"msg":"Invalid request: x","id":3}',
      {
        kind: 'rejected',
        request: 3,
        topics: null,
        scope: 'request',
        code: '2',
        reason: 'Invalid request: x',
      },
    ],
    [
      'binance',
      '{"error":{"code":2,"msg":"Invalid request: x"},"id":3}',
      {
        kind: 'rejected',
        request: 3,
        topics: null,
        scope: 'request',
        code: '2',
        reason: 'Invalid request: x',
      },
    ],
    ['binance', '{"error":{"code":4,"msg":"full"}}', { kind: 'error', code: '4', reason: 'full' }],
    [
      'bybit-spot',
      '{"success":true,"ret_msg":"","req_id":"7","op":"subscribe"}',
      { kind: 'ack', request: 7, topics: null },
    ],
    [
      'bybit-spot',
      '{"success":true,"ret_msg":"","req_id":"","op":"subscribe"}',
      { kind: 'ack', request: null, topics: null },
    ],
    [
      'bybit-spot',
      '{"success":false,"ret_msg":"error:handler not found,topic:orderbook.500.BTCUSDT","req_id":"7","op":"subscribe"}',
      {
        kind: 'rejected',
        request: 7,
        topics: ['orderbook.500.BTCUSDT'],
        scope: 'request',
        code: null,
        reason: 'error:handler not found,topic:orderbook.500.BTCUSDT',
      },
    ],
    [
      'bybit-spot',
      '{"success":false,"ret_msg":"Invalid symbol :[publicTrade.BTCUSDT-26DEC25,orderbook.1.NOPE]","op":"subscribe"}',
      {
        kind: 'rejected',
        request: null,
        topics: ['publicTrade.BTCUSDT-26DEC25', 'orderbook.1.NOPE'],
        scope: 'request',
        code: null,
        reason: 'Invalid symbol :[publicTrade.BTCUSDT-26DEC25,orderbook.1.NOPE]',
      },
    ],
    [
      'bybit-spot',
      '{"success":false,"ret_msg":"args size >10","req_id":"7","op":"subscribe"}',
      { kind: 'rejected', request: 7, topics: null, scope: 'request', code: null, reason: 'args size >10' },
    ],
    [
      'okx',
      '{"id":"17","event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"},"connId":"a"}',
      { kind: 'ack', request: 17, topics: [nameOf('okx', 'trades')] },
    ],
    [
      'okx',
      '{"id":"18","event":"unsubscribe","arg":{"channel":"bbo-tbt","instId":"BTC-USDT"},"connId":"a"}',
      { kind: 'unsubscribed', request: 18, topics: [nameOf('okx', 'quotes')] },
    ],
    [
      'okx',
      '{"event":"error","code":"60018","msg":"Wrong URL or channel:trades,instId:NOPE-USDT doesn\'t exist."}',
      {
        kind: 'rejected',
        request: null,
        topics: ['trades:NOPE-USDT'],
        scope: 'topics',
        code: '60018',
        reason: "Wrong URL or channel:trades,instId:NOPE-USDT doesn't exist.",
      },
    ],
    [
      'okx',
      '{"id":"4","event":"error","code":"60012","msg":"Invalid request"}',
      {
        kind: 'rejected',
        request: 4,
        topics: null,
        scope: 'request',
        code: '60012',
        reason: 'Invalid request',
      },
    ],
    [
      'kraken',
      '{"method":"subscribe","result":{"channel":"ticker","symbol":"BTC/USD"},"success":true,"req_id":1}',
      { kind: 'ack', request: 1, topics: [nameOf('kraken', 'quotes')] },
    ],
    [
      'kraken',
      '{"method":"unsubscribe","result":{"channel":"trade","symbol":"BTC/USD"},"success":true,"req_id":2}',
      { kind: 'unsubscribed', request: 2, topics: [nameOf('kraken', 'trades')] },
    ],
    [
      'kraken',
      '{"method":"subscribe","success":false,"error":"Currency pair not supported XBT/USD","req_id":1}',
      {
        kind: 'rejected',
        request: 1,
        topics: ['trade:XBT/USD', 'ticker:XBT/USD'],
        scope: 'topics',
        code: null,
        reason: 'Currency pair not supported XBT/USD',
      },
    ],
    [
      'kraken',
      '{"method":"subscribe","success":false,"error":"Bad parameter","req_id":1}',
      { kind: 'rejected', request: 1, topics: null, scope: 'request', code: null, reason: 'Bad parameter' },
    ],
    [
      'kraken',
      '{"method":"unsubscribe","success":false,"error":"not found","symbol":"BTC/USD","req_id":1}',
      {
        kind: 'unsubscribed',
        request: 1,
        topics: ['trade:BTC/USD', 'ticker:BTC/USD'],
      },
    ],
    [
      'kraken',
      '{"channel":"status","type":"update","data":[{"system":"maintenance","connection_id":11870042917365520443}]}',
      { kind: 'status', state: 'maintenance' },
    ],
  ])('%s: %s', (exchange, frame, expected) => expect(controlOf(exchange, frame)).toEqual(expected));

  it('does not take a huge frame for a control message', () => {
    const frame = `{"result":null,"id":1,"padding":"${'x'.repeat(1024 * 1024)}"}`;
    expect(controlOf('binance', frame)).toBeUndefined();
  });

  it('tells the channel of frames that it skips', () => {
    const recorder = new Recorder();
    const frame = '{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[]}';
    decodeFrame(exchanges.okx.createDecoder(new InstrumentIndex()), frame, recorder);
    expect(recorder.skips).toEqual(['tickers']);
  });
});
