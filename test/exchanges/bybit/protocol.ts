import type { Instrument } from '../catalogue.ts';
import type { Connection, Stream } from '../connection.ts';
import type { Quote, Trade } from '../market.ts';
import {
  isTexts,
  json,
  type Protocol,
  type ProtocolHost,
  parseObject,
  type RestAnswer,
} from '../protocol.ts';
import { uuidOf } from '../random.ts';
import { orderbook1, publicTrade } from './frames.ts';
import { listed, statusOf } from './listing.ts';

/** A topic that exists on spot: its name, its parameter and its symbol. */
const topicSyntax =
  /^(?:publicTrade|tickers|priceLimit|orderbook\.(?:1|50|200|1000|full|rpi)|kline\.(?:1|3|5|15|30|60|120|240|360|720|D|W|M))\.([^.]+)$/;

const forms = [
  ['publicTrade.', { form: 'publicTrade', channel: 'trades' }],
  ['orderbook.1.', { form: 'orderbook.1', channel: 'quotes' }],
] as const;

/** Seed of the trade ids' text: they are opaque, so any will do, the same for every run. */
const tradeIdSeed = 0x5b1d;

/** A trade id as Bybit prints it. */
export function tradeIdText(id: number): string {
  return uuidOf(tradeIdSeed, id);
}

/** The public spot socket of Bybit v5: "Connect" and the pages of its topics; refusals as measured. */
export class BybitProtocol implements Protocol {
  readonly #host: ProtocolHost;

  constructor(host: ProtocolHost) {
    this.#host = host;
  }

  accepts(url: URL): boolean {
    return url.pathname === '/v5/public/spot';
  }

  opened(): void {}

  message(connection: Connection, text: string): void {
    const request = parseObject(text);
    if (request === null) {
      this.#host.violated('invalid-json', connection, text.slice(0, 200));
      this.#answer(connection, false, 'Invalid JSON', '', '');
      return;
    }
    const { op, args } = request;
    const reqId = request.req_id === undefined ? '' : String(request.req_id);
    if (op === 'ping') {
      const echoed = reqId === '' ? '' : `,"req_id":${JSON.stringify(reqId)}`;
      connection.liveness(
        `{"success":true,"ret_msg":"pong","conn_id":"${this.#id(connection)}"${echoed},"op":"ping"}`,
      );
    } else if (op !== 'subscribe' && op !== 'unsubscribe') {
      this.#host.violated('invalid-request', connection, `op ${String(op)}`);
      this.#answer(connection, false, `Invalid op: ${String(op)}`, reqId, String(op));
    } else if (!isTexts(args) || args.length === 0) {
      this.#host.violated('invalid-request', connection, 'args');
      this.#answer(connection, false, 'Invalid args', reqId, op);
    } else if (op === 'unsubscribe') {
      for (const topic of args) {
        if (this.#host.unsubscribe(connection, topic)) connection.argsCharacters -= topic.length + 3;
      }
      this.#answer(connection, true, 'unsubscribe', reqId, op);
    } else {
      this.#subscribe(connection, args, reqId);
    }
  }

  tick(connection: Connection, now: number): void {
    // "cut after 10 minutes with neither ping nor data"
    const { idleMs } = this.#host.limits;
    if (now - Math.max(connection.lastReceivedMs, connection.lastSentMs) < idleMs) return;
    this.#host.violated('idle', connection, `neither ping nor data for ${idleMs} ms`);
    connection.close('limit', 'idle', 1000, 'idle');
  }

  notice(): boolean {
    return false;
  }

  tradesFrame({ instrument }: Stream, trades: readonly Trade[], _variant: number, now: number): string {
    return publicTrade(instrument, trades, tradeIdText, now);
  }

  quoteFrame({ instrument }: Stream, quote: Quote, _variant: number, now: number): string {
    return orderbook1(instrument, quote, now);
  }

  tradeId(_stream: Stream, trade: Trade): number {
    return trade.id;
  }

  carriedTime(time: number): number {
    return Math.floor(time / 1000) * 1000;
  }

  unknownFrame(what: 'event' | 'symbol', _variant: number, now: number): string {
    const at = Math.floor(now / 1000);
    return what === 'event'
      ? `{"topic":"mystery.BTCUSDT","type":"snapshot","ts":${at},"data":{"x":"1"}}`
      : `{"topic":"publicTrade.UNINVITEDUSDT","type":"snapshot","ts":${at},"data":[{"i":"${tradeIdText(0)}","T":${at},"p":"1","v":"1","S":"Buy","seq":1,"s":"UNINVITEDUSDT","BT":false,"RPI":false}]}`;
  }

  rest(url: URL): RestAnswer | null {
    const envelope = (retCode: number, retMsg: string, result: unknown): RestAnswer =>
      json({ retCode, retMsg, result, retExtInfo: {}, time: Date.now() });
    if (url.pathname !== '/v5/market/instruments-info' && url.pathname !== '/v5/market/time') return null;
    if (!this.#host.restAllowed(1)) return { status: 403, body: '{"message":"access too frequent"}' };
    if (url.pathname === '/v5/market/time') {
      const now = Date.now();
      return envelope(0, 'OK', { timeSecond: String(Math.floor(now / 1000)), timeNano: `${now}000000` });
    }
    const category = url.searchParams.get('category');
    if (category !== 'spot') return envelope(10001, 'params error: Category is invalid', {});
    const symbol = url.searchParams.get('symbol');
    const status = url.searchParams.get('status') ?? 'Trading';
    const list = this.#host.instruments
      .filter((i) => statusOf(i) === status && (symbol === null || symbol === i.native))
      .map(listed);
    return envelope(0, 'OK', { category, list });
  }

  /** One answer per request; a single bad argument rejects the whole batch. */
  #subscribe(connection: Connection, args: readonly string[], reqId: string): void {
    const { limits, byName, faults } = this.#host;
    const refuse = (message: string): void => this.#answer(connection, false, message, reqId, 'subscribe');
    if (args.length > limits.argsPerRequest) {
      this.#host.violated('args-per-request', connection, `${args.length} args in a request`);
      refuse(`args size >${limits.argsPerRequest}`);
      return;
    }
    const symbolOf = (topic: string): string | undefined => topicSyntax.exec(topic)?.[1];
    const invalid = args.find((topic) => symbolOf(topic) === undefined);
    if (invalid !== undefined) {
      this.#host.violated('invalid-request', connection, `topic ${invalid}`);
      refuse(`Invalid topic: ${invalid}`);
      return;
    }
    const instrumentOf = (topic: string): Instrument | undefined => {
      const instrument = byName.get(symbolOf(topic)!);
      return instrument === undefined || faults.rejected.has(instrument.native) ? undefined : instrument;
    };
    const unknown = args.filter((topic) => instrumentOf(topic) === undefined);
    if (unknown.length > 0) {
      for (const topic of unknown) this.#host.refusedSymbol(topic);
      refuse(`Invalid symbol :[${unknown.join(',')}]`);
      return;
    }
    const repeated = args.find(
      (topic, at) => connection.subscriptions.has(topic) || args.indexOf(topic) < at,
    );
    if (repeated !== undefined) {
      refuse(`error:already subscribed,topic:${repeated}`);
      return;
    }
    const characters = args.reduce((sum, topic) => sum + topic.length + 3, 0);
    if (connection.argsCharacters + characters > limits.argsCharacters) {
      this.#host.violated('args-characters', connection, `more than ${limits.argsCharacters} characters`);
      refuse(`error:args length exceeds ${limits.argsCharacters}`);
      connection.close('limit', 'args-characters', 1008, 'args too long');
      return;
    }
    if (connection.subscriptions.size + args.length > limits.streamsPerConnection) {
      const limit = limits.streamsPerConnection;
      this.#host.violated('streams-per-connection', connection, `more than ${limit} topics`);
      refuse(`error:topics exceed ${limit}`);
      connection.close('limit', 'streams-per-connection', 1008, 'too many topics');
      return;
    }
    connection.argsCharacters += characters;
    const subscriptions = args.map((topic) => {
      const form = forms.find(([prefix]) => topic.startsWith(prefix))?.[1] ?? null;
      return this.#host.subscribe(connection, topic, form, instrumentOf(topic)!);
    });
    connection.acknowledge(
      this.#answerText(connection, true, 'subscribe', reqId, 'subscribe'),
      subscriptions,
    );
    for (const { stream } of subscriptions) {
      if (stream?.channel === 'quotes') this.#host.quoteNow(stream.instrument);
    }
  }

  #id(connection: Connection): string {
    return uuidOf(tradeIdSeed + 1, connection.number).slice(0, 18);
  }

  #answerText(connection: Connection, success: boolean, message: string, reqId: string, op: string): string {
    return JSON.stringify({ success, ret_msg: message, conn_id: this.#id(connection), req_id: reqId, op });
  }

  #answer(connection: Connection, success: boolean, message: string, reqId: string, op: string): void {
    connection.reply(this.#answerText(connection, success, message, reqId, op));
  }
}
