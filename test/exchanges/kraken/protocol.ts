import { nowMicros, rfc3339Micros } from '../clock.ts';
import type { Connection, Stream } from '../connection.ts';
import { nowMs } from '../connection.ts';
import type { Quote, Trade } from '../market.ts';
import {
  isTexts,
  json,
  type Protocol,
  type ProtocolHost,
  parseObject,
  type RestAnswer,
} from '../protocol.ts';
import { mix32 } from '../random.ts';
import { tickerFrame, tradeFrame } from './frames.ts';
import { assetPairs, instrumentSnapshot } from './listing.ts';

/** Channels that take symbols. Only `trade` and `ticker` (by best bid and offer) have data here. */
const symbolChannels = ['trade', 'ticker', 'book', 'ohlc'];
const depths = [10, 25, 100, 500, 1000];
const intervals = [1, 5, 15, 30, 60, 240, 1440, 10_080, 21_600];

type Fields = Readonly<Record<string, unknown>>;

/** The public spot socket of Kraken, API v2: introduction and channel pages. */
export class KrakenProtocol implements Protocol {
  readonly #host: ProtocolHost;
  #refusals = 0;

  constructor(host: ProtocolHost) {
    this.#host = host;
  }

  accepts(url: URL): boolean {
    return url.pathname === '/v2';
  }

  opened(connection: Connection): void {
    // A connection id above 2^53, as real ones are.
    const id = 11_870_042_917_365_520_443n + BigInt(mix32(connection.number));
    connection.reply(
      `{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online","api_version":"v2","connection_id":${id}}]}`,
    );
  }

  message(connection: Connection, text: string): void {
    const timeIn = rfc3339Micros(nowMicros());
    if (!connection.messages.hit(nowMs())) {
      this.#host.violated(
        'message-rate',
        connection,
        `more than ${this.#host.limits.messagesPerSecond} a second`,
      );
      connection.reply('{"Error":"Exceeded msg rate"}');
      return;
    }
    const request = parseObject(text);
    if (request === null) {
      this.#host.violated('invalid-json', connection, text.slice(0, 200));
      connection.reply('{"error":"Malformed request","success":false}');
      return;
    }
    const { method, params, req_id: reqId } = request;
    if (method === 'ping') {
      connection.liveness(`{"method":"pong",${this.#tail(timeIn, reqId)}}`);
    } else if (method !== 'subscribe' && method !== 'unsubscribe') {
      this.#invalid(connection, String(method), 'Unsupported method', timeIn, reqId);
    } else {
      const fields = (typeof params === 'object' && params !== null ? params : {}) as Fields;
      const { channel, symbol } = fields;
      if (channel === 'instrument') {
        this.#instrument(connection, method, fields, timeIn, reqId);
      } else if (typeof channel !== 'string' || !symbolChannels.includes(channel)) {
        this.#invalid(connection, method, `Channel ${String(channel)} not supported`, timeIn, reqId);
      } else if (!isTexts(symbol) || symbol.length === 0) {
        this.#invalid(connection, method, 'Symbol(s) not found', timeIn, reqId);
      } else {
        for (const name of symbol) {
          if (!connection.open) return;
          if (method === 'subscribe') this.#subscribe(connection, channel, name, fields, timeIn, reqId);
          else this.#unsubscribe(connection, channel, name, fields, timeIn, reqId);
        }
      }
    }
  }

  tick(connection: Connection, now: number): void {
    const { heartbeatMs, idleMs } = this.#host.limits;
    if (connection.subscriptions.size > 0 && now - connection.lastSentMs >= heartbeatMs) {
      connection.liveness('{"channel":"heartbeat"}');
    }
    if (connection.faults.silent || connection.faults.halfOpen) return;
    if (now - Math.max(connection.lastReceivedMs, connection.lastSentMs) < idleMs) return;
    this.#host.violated('idle', connection, `no activity for ${idleMs} ms`);
    connection.close('limit', 'idle', 1000, 'inactivity');
  }

  notice(): boolean {
    return false;
  }

  tradesFrame({ instrument }: Stream, trades: readonly Trade[]): string {
    return tradeFrame(instrument, trades, 'update');
  }

  quoteFrame({ instrument }: Stream, quote: Quote, _variant: number, _now: number, first: boolean): string {
    return tickerFrame(instrument, quote, first ? 'snapshot' : 'update');
  }

  tradeId(_stream: Stream, trade: Trade): number {
    return trade.id;
  }

  carriedTime(time: number): number {
    return time;
  }

  unknownFrame(what: 'event' | 'symbol', _variant: number, now: number): string {
    return what === 'event'
      ? '{"channel":"mystery","type":"update","data":[{"symbol":"BTC/USD","x":1}]}'
      : `{"channel":"trade","type":"update","data":[{"symbol":"UNINVITED/USD","side":"buy","price":1.0,"qty":1.00000000,"ord_type":"market","trade_id":1,"timestamp":"${rfc3339Micros(now)}"}]}`;
  }

  rest(url: URL): RestAnswer | null {
    const path = '/0/public/';
    if (!url.pathname.startsWith(path)) return null;
    if (!this.#host.restAllowed(1)) return json({ error: ['EAPI:Rate limit exceeded'] });
    const now = new Date();
    switch (url.pathname.slice(path.length)) {
      case 'SystemStatus':
        return json({ error: [], result: { status: 'online', timestamp: now.toISOString() } });
      case 'Time':
        return json({
          error: [],
          result: { unixtime: Math.floor(now.getTime() / 1000), rfc1123: now.toUTCString() },
        });
      case 'AssetPairs':
        return json({ error: [], result: assetPairs(this.#host.instruments) });
      default:
        return json({ error: ['EGeneral:Unknown method'] });
    }
  }

  #instrument(connection: Connection, method: string, params: Fields, timeIn: string, reqId: unknown): void {
    const name = 'instrument';
    if (method === 'unsubscribe') {
      this.#host.unsubscribe(connection, name);
      this.#ack(connection, method, { channel: name }, timeIn, reqId);
      return;
    }
    if (connection.subscriptions.has(name)) {
      this.#refuse(connection, method, 'Already subscribed', null, timeIn, reqId);
      return;
    }
    const snapshot = params.snapshot !== false;
    const subscription = this.#host.subscribe(connection, name, null, null);
    const text = this.#ackText(method, { channel: name, snapshot, warnings: [] }, timeIn, reqId);
    connection.acknowledge(text, [subscription]);
    if (snapshot) connection.reply(instrumentSnapshot(this.#host.instruments));
  }

  /** Every symbol is answered on its own, with the same `req_id`. */
  #subscribe(
    connection: Connection,
    channel: string,
    symbol: string,
    params: Fields,
    timeIn: string,
    reqId: unknown,
  ): void {
    const { byName, faults, limits } = this.#host;
    const instrument = byName.get(symbol);
    if (instrument === undefined || faults.rejected.has(symbol)) {
      this.#host.refusedSymbol(`${channel}:${symbol}`);
      // The failing frame may lack `symbol`: every other one does.
      const named = this.#refusals++ % 2 === 0 ? symbol : null;
      this.#refuse(connection, 'subscribe', `Currency pair not supported ${symbol}`, named, timeIn, reqId);
      return;
    }
    const { depth = 10, interval = 1, event_trigger: trigger = 'trades' } = params;
    if (channel === 'book' && !depths.includes(depth as number)) {
      this.#refuse(connection, 'subscribe', 'Subscription depth not supported', symbol, timeIn, reqId);
      return;
    }
    if (channel === 'ohlc' && !intervals.includes(interval as number)) {
      this.#refuse(
        connection,
        'subscribe',
        'Subscription ohlc interval not supported',
        symbol,
        timeIn,
        reqId,
      );
      return;
    }
    const name = this.#name(channel, symbol, params);
    if (connection.subscriptions.has(name)) {
      this.#refuse(connection, 'subscribe', 'Already subscribed', symbol, timeIn, reqId);
      return;
    }
    if (connection.subscriptions.size >= limits.streamsPerConnection) {
      const limit = limits.streamsPerConnection;
      this.#host.violated('streams-per-connection', connection, `more than ${limit} symbols`);
      this.#refuse(
        connection,
        'subscribe',
        'Maximum number of subscriptions exceeded',
        symbol,
        timeIn,
        reqId,
      );
      connection.close('limit', 'streams-per-connection', 1008, 'too many subscriptions');
      return;
    }
    const snapshot = channel === 'trade' ? params.snapshot === true : params.snapshot !== false;
    const result: Record<string, unknown> = { channel };
    if (channel === 'book') result.depth = depth;
    if (channel === 'ohlc') result.interval = interval;
    if (channel === 'ticker') result.event_trigger = trigger;
    result.snapshot = snapshot;
    result.symbol = symbol;
    if (channel === 'book' || channel === 'ohlc') result.warnings = [];
    const form =
      channel === 'trade'
        ? ({ form: 'trade', channel: 'trades' } as const)
        : channel === 'ticker' && trigger === 'bbo'
          ? ({ form: 'ticker', channel: 'quotes' } as const)
          : null;
    const subscription = this.#host.subscribe(connection, name, form, instrument);
    if (!snapshot) subscription.fresh = false;
    connection.acknowledge(this.#ackText('subscribe', result, timeIn, reqId), [subscription]);
    if (!snapshot || subscription.stream === null) return;
    if (channel === 'ticker') {
      this.#host.quoteNow(instrument);
      return;
    }
    const trades = this.#host.recentTrades(instrument);
    if (trades.length > 0) {
      this.#host.sendSnapshot(subscription, tradeFrame(instrument, trades, 'snapshot'), trades);
    }
  }

  #unsubscribe(
    connection: Connection,
    channel: string,
    symbol: string,
    params: Fields,
    timeIn: string,
    reqId: unknown,
  ): void {
    if (this.#host.unsubscribe(connection, this.#name(channel, symbol, params))) {
      this.#ack(connection, 'unsubscribe', { channel, symbol }, timeIn, reqId);
    } else {
      this.#refuse(connection, 'unsubscribe', `Subscription ${channel} not found`, symbol, timeIn, reqId);
    }
  }

  /** Books are told apart by depth, candles by interval. */
  #name(channel: string, symbol: string, { depth = 10, interval = 1 }: Fields): string {
    if (channel === 'book') return `book-${String(depth)}:${symbol}`;
    if (channel === 'ohlc') return `ohlc-${String(interval)}:${symbol}`;
    return `${channel}:${symbol}`;
  }

  #tail(timeIn: string, reqId: unknown): string {
    const id = reqId === undefined ? '' : `,"req_id":${JSON.stringify(reqId)}`;
    return `"time_in":"${timeIn}","time_out":"${rfc3339Micros(nowMicros())}"${id}`;
  }

  #ackText(method: string, result: Fields, timeIn: string, reqId: unknown): string {
    return `{"method":"${method}","result":${JSON.stringify(result)},"success":true,${this.#tail(timeIn, reqId)}}`;
  }

  #ack(connection: Connection, method: string, result: Fields, timeIn: string, reqId: unknown): void {
    connection.reply(this.#ackText(method, result, timeIn, reqId));
  }

  #refuse(
    connection: Connection,
    method: string,
    error: string,
    symbol: string | null,
    timeIn: string,
    reqId: unknown,
  ): void {
    const named = symbol === null ? '' : `"symbol":${JSON.stringify(symbol)},`;
    connection.reply(
      `{"method":"${method}","success":false,"error":${JSON.stringify(error)},${named}${this.#tail(timeIn, reqId)}}`,
    );
  }

  #invalid(connection: Connection, method: string, error: string, timeIn: string, reqId: unknown): void {
    this.#host.violated('invalid-request', connection, error);
    connection.reply(
      `{"method":${JSON.stringify(method)},"success":false,"error":${JSON.stringify(error)},${this.#tail(timeIn, reqId)}}`,
    );
  }
}
