import type { Connection, Stream, Subscription } from '../connection.ts';
import { nowMs } from '../connection.ts';
import type { Quote, Trade } from '../market.ts';
import { json, type Protocol, type ProtocolHost, parseObject, type RestAnswer } from '../protocol.ts';
import { mix32 } from '../random.ts';
import { bboPush, tradesPush } from './frames.ts';
import { listed } from './listing.ts';

/** Channels of `/ws/v5/public` and whether they take an instrument; others belong to `/business` or nowhere. */
const channels: Readonly<Record<string, 'instrument' | 'type' | 'none'>> = {
  trades: 'instrument',
  'bbo-tbt': 'instrument',
  books5: 'instrument',
  books: 'instrument',
  'books-elp': 'instrument',
  tickers: 'instrument',
  'price-limit': 'instrument',
  'index-tickers': 'instrument',
  instruments: 'type',
  status: 'none',
};

const forms = {
  trades: { form: 'trades', channel: 'trades' },
  'bbo-tbt': { form: 'bbo-tbt', channel: 'quotes' },
} as const;

type Arg = Readonly<Record<string, unknown>>;

/** The public socket of OKX v5: WebSocket overview, "Subscribe", error codes. */
export class OkxProtocol implements Protocol {
  readonly #host: ProtocolHost;

  constructor(host: ProtocolHost) {
    this.#host = host;
  }

  accepts(url: URL): boolean {
    return url.pathname === '/ws/v5/public';
  }

  opened(): void {}

  message(connection: Connection, text: string): void {
    if (text === 'ping') {
      connection.liveness('pong');
      return;
    }
    const { requestBytes } = this.#host.limits;
    if (Buffer.byteLength(text) > requestBytes) {
      this.#host.violated('request-bytes', connection, `${Buffer.byteLength(text)} bytes`);
      connection.close('limit', 'request-bytes', 1009, 'message too big');
      return;
    }
    const request = parseObject(text);
    const args = request?.args;
    if (
      request === null ||
      !Array.isArray(args) ||
      !args.every((arg) => typeof arg === 'object' && arg !== null)
    ) {
      this.#host.violated(
        request === null ? 'invalid-json' : 'invalid-request',
        connection,
        text.slice(0, 200),
      );
      this.#error(connection, undefined, '60012', `Invalid request: ${text.slice(0, 200)}`);
      return;
    }
    const { op, id } = request;
    if (id !== undefined && (typeof id !== 'string' || !/^[A-Za-z0-9]{1,32}$/.test(id))) {
      this.#host.violated('invalid-request', connection, `id ${JSON.stringify(id)}`);
      this.#error(connection, undefined, '60012', `Invalid request: ${text.slice(0, 200)}`);
      return;
    }
    if (op !== 'subscribe' && op !== 'unsubscribe') {
      this.#host.violated('invalid-request', connection, `op ${String(op)}`);
      this.#error(connection, id, '60019', `Invalid op: ${String(op)}`);
      return;
    }
    if (!connection.requests.hit(nowMs())) {
      this.#host.violated('requests-per-hour', connection, `more than ${this.#host.limits.requestsPerHour}`);
      this.#error(connection, id, '60014', 'Requests too frequent');
      return;
    }
    connection.subscribeRequests++;
    for (const arg of args as Arg[]) {
      if (!connection.open) return;
      if (op === 'subscribe') this.#subscribe(connection, arg, id);
      else this.#unsubscribe(connection, arg, id);
    }
  }

  tick(connection: Connection, now: number): void {
    const { idleMs, firstSubscribeMs } = this.#host.limits;
    if (connection.subscribeRequests === 0 && now - connection.openedMs >= firstSubscribeMs) {
      this.#host.violated('no-subscription', connection, `none within ${firstSubscribeMs} ms`);
      connection.close('limit', 'no-subscription', 4004, 'No data received in 30s.');
    } else if (now - Math.max(connection.lastReceivedMs, connection.lastSentMs) >= idleMs) {
      this.#host.violated('idle', connection, `silence for ${idleMs} ms`);
      connection.close('limit', 'idle', 4004, 'No data received in 30s.');
    }
  }

  notice(connection: Connection): boolean {
    const msg = 'The connection will soon be closed for a service upgrade. Please reconnect.';
    connection.reply(JSON.stringify({ event: 'notice', code: '64008', msg, connId: this.#id(connection) }));
    return true;
  }

  tradesFrame(stream: Stream, trades: readonly Trade[]): string {
    return tradesPush(stream, trades[0]!);
  }

  quoteFrame(stream: Stream, quote: Quote): string {
    return bboPush(stream, quote);
  }

  tradeId(_stream: Stream, trade: Trade): number {
    return trade.id;
  }

  carriedTime(time: number): number {
    return Math.floor(time / 1000) * 1000;
  }

  unknownFrame(what: 'event' | 'symbol', _variant: number, now: number): string {
    const ts = Math.floor(now / 1000);
    return what === 'event'
      ? '{"arg":{"channel":"mystery","instId":"BTC-USDT"},"data":[{"x":"1"}]}'
      : `{"arg":{"channel":"trades","instId":"UNINVITED-USDT"},"data":[{"instId":"UNINVITED-USDT","tradeId":"1","px":"1","sz":"1","side":"buy","ts":"${ts}","count":"1","source":"0","seqId":1}]}`;
  }

  rest(url: URL): RestAnswer | null {
    if (url.pathname === '/api/v5/public/time') {
      return json({ code: '0', msg: '', data: [{ ts: String(Date.now()) }] });
    }
    if (url.pathname !== '/api/v5/public/instruments') return null;
    if (!this.#host.restAllowed(1)) {
      return { status: 429, body: '{"code":"50011","msg":"Too Many Requests","data":[]}' };
    }
    const type = url.searchParams.get('instType');
    const name = url.searchParams.get('instId');
    if (type === null) return json({ code: '50014', msg: 'Parameter instType can not be empty.', data: [] });
    if (!['SPOT', 'SWAP', 'FUTURES', 'MARGIN', 'OPTION'].includes(type)) {
      return json({ code: '51000', msg: 'Parameter instType error', data: [] });
    }
    const found = this.#host.instruments.filter(
      (i) => type === 'SPOT' && (name === null || name === i.native),
    );
    if (name !== null && found.length === 0) {
      return json({ code: '51001', msg: "Instrument ID doesn't exist.", data: [] });
    }
    return json({ code: '0', msg: '', data: found.map(listed) });
  }

  /** Every argument is answered on its own. */
  #subscribe(connection: Connection, arg: Arg, id: unknown): void {
    const { byName, faults, limits } = this.#host;
    const { channel, instId, instType } = arg;
    if (typeof channel !== 'string') {
      this.#host.violated('invalid-request', connection, JSON.stringify(arg));
      this.#error(connection, id, '60013', `Invalid args: ${JSON.stringify(arg)}`);
      return;
    }
    const takes = Object.hasOwn(channels, channel) ? channels[channel] : undefined;
    const instrument = typeof instId === 'string' ? (byName.get(instId) ?? null) : null;
    const known =
      takes === 'none' ||
      (takes === 'type' && instType === 'SPOT') ||
      (takes === 'instrument' && instrument !== null && !faults.rejected.has(instrument.native));
    if (!known) {
      const what = instId === undefined ? `instType:${String(instType)}` : `instId:${String(instId)}`;
      this.#host.refusedSymbol(`${channel}:${String(instId ?? instType)}`);
      this.#error(
        connection,
        id,
        '60018',
        `Wrong URL or channel:${channel},${what} doesn't exist. Please use the correct URL, channel and parameters referring to API document.`,
      );
      return;
    }
    const name = this.#name(arg);
    const ack = this.#ack(connection, 'subscribe', arg, id);
    if (connection.subscriptions.has(name)) {
      connection.reply(ack);
      return;
    }
    if (connection.subscriptions.size >= limits.streamsPerConnection) {
      const limit = limits.streamsPerConnection;
      this.#host.violated('streams-per-connection', connection, `more than ${limit} channels`);
      connection.close('limit', 'streams-per-connection', 4008, 'subscribed channels exceed the maximum');
      return;
    }
    const form = Object.hasOwn(forms, channel) ? forms[channel as keyof typeof forms] : null;
    const subscription: Subscription = this.#host.subscribe(connection, name, form, instrument);
    connection.acknowledge(ack, [subscription]);
    if (channel === 'instruments') {
      const data = this.#host.instruments.map(listed);
      connection.reply(JSON.stringify({ arg: { channel, instType }, data }));
    } else if (subscription.stream?.channel === 'quotes') {
      this.#host.quoteNow(subscription.stream.instrument);
    }
  }

  #unsubscribe(connection: Connection, arg: Arg, id: unknown): void {
    this.#host.unsubscribe(connection, this.#name(arg));
    connection.reply(this.#ack(connection, 'unsubscribe', arg, id));
  }

  #name({ channel, instId, instType }: Arg): string {
    return `${String(channel)}:${String(instId ?? instType ?? '')}`;
  }

  #id(connection: Connection): string {
    return mix32(connection.number).toString(16).padStart(8, '0');
  }

  #ack(connection: Connection, event: string, arg: Arg, id: unknown): string {
    const connId = this.#id(connection);
    return JSON.stringify(id === undefined ? { event, arg, connId } : { id, event, arg, connId });
  }

  /** An error carries no `arg`: the client has to look into the text. */
  #error(connection: Connection, id: unknown, code: string, msg: string): void {
    const fields = { event: 'error', code, msg, connId: this.#id(connection) };
    connection.reply(JSON.stringify(id === undefined ? fields : { id, ...fields }));
  }
}
