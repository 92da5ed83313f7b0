import type { Connection, Stream, Subscription } from '../connection.ts';
import { nowMs } from '../connection.ts';
import type { Trade } from '../market.ts';
import { isTexts, json, type Protocol, type ProtocolHost, type RestAnswer } from '../protocol.ts';
import {
  bookTickerPayload,
  combined,
  micros,
  streamName,
  timeText,
  tradePayload,
  wrapped,
} from './frames.ts';
import { exchangeInfo, hasStatus } from './listing.ts';

/** Any stream name that passes the syntax check; whether it exists is another question, never answered. */
const streamSyntax =
  /^(?:[^@!/\s"]+@[A-Za-z][A-Za-z0-9_]*(?:@[A-Za-z0-9+:]+)?|![A-Za-z_0-9]+(?:@arr)?(?:@[A-Za-z0-9]+)?)$/;

const forms = {
  trade: { form: 'trade', channel: 'trades' },
  aggTrade: { form: 'aggTrade', channel: 'trades' },
  bookTicker: { form: 'bookTicker', channel: 'quotes' },
} as const;

const methods = ['SUBSCRIBE', 'UNSUBSCRIBE', 'LIST_SUBSCRIPTIONS', 'SET_PROPERTY', 'GET_PROPERTY'];

/** The spot streams of Binance: `web-socket-streams.md`, with measured behaviour where the page is silent. */
export class BinanceProtocol implements Protocol {
  readonly #host: ProtocolHost;
  /** Listed symbols by their lower-case form: names of streams never have another. */
  readonly #byStreamSymbol;

  constructor(host: ProtocolHost) {
    this.#host = host;
    this.#byStreamSymbol = new Map(host.instruments.map((i) => [i.native.toLowerCase(), i]));
  }

  accepts(url: URL): boolean {
    return url.pathname === '/stream' || url.pathname === '/ws' || url.pathname.startsWith('/ws/');
  }

  opened(connection: Connection, url: URL): void {
    if (url.pathname === '/stream') connection.variant |= combined;
    if (url.searchParams.get('timeUnit')?.toUpperCase() === 'MICROSECOND') connection.variant |= micros;
    const path = decodeURIComponent(url.pathname.slice('/ws/'.length));
    const names = url.pathname === '/stream' ? (url.searchParams.get('streams') ?? '') : path;
    const streams = names.split('/').filter((name) => name !== '');
    if (!this.#fits(connection, streams)) return;
    const subscriptions = streams.map((name) => this.#subscribe(connection, name));
    for (const subscription of subscriptions) {
      // Named in the address: there is no answer to wait for.
      subscription.acknowledged = true;
      subscription.record.acknowledgedAt = subscription.record.requestedAt;
    }
  }

  message(connection: Connection, text: string): void {
    if (!this.#counts(connection)) return;
    let request: unknown;
    try {
      request = JSON.parse(text);
    } catch {
      this.#host.violated('invalid-json', connection, text.slice(0, 200));
      this.#error(connection, 3, 'Invalid JSON: expected value at line 1 column 1', undefined);
      return;
    }
    const fields = (typeof request === 'object' && request !== null ? request : {}) as Record<
      string,
      unknown
    >;
    const { method, id, params } = fields;
    const idFits =
      id === undefined ||
      id === null ||
      (typeof id === 'number' && Number.isInteger(id)) ||
      (typeof id === 'string' && /^[A-Za-z0-9]{1,36}$/.test(id));
    if (!idFits) {
      this.#invalid(
        connection,
        'request ID must be an integer, a string of up to 36 characters, or null',
        null,
      );
    } else if (method === undefined) {
      this.#invalid(connection, 'missing field `method`', id);
    } else if (!methods.includes(method as string)) {
      const expected = methods.map((name) => `\`${name}\``).join(', ');
      this.#invalid(connection, `unknown variant \`${String(method)}\`, expected one of ${expected}`, id);
    } else if (method === 'LIST_SUBSCRIPTIONS') {
      this.#result(connection, [...connection.subscriptions.keys()], id);
    } else if (method === 'SET_PROPERTY' || method === 'GET_PROPERTY') {
      this.#property(connection, method === 'SET_PROPERTY', params, id);
    } else if (!isTexts(params)) {
      this.#invalid(
        connection,
        params === undefined ? 'missing field `params`' : 'params must be an array of streams',
        id,
      );
    } else if (!params.every((name) => streamSyntax.test(name))) {
      this.#invalid(connection, 'invalid stream', id);
    } else if (method === 'SUBSCRIBE' && params.some((name) => this.#rejected(name))) {
      this.#error(connection, 2, 'Invalid request: invalid stream', id);
    } else if (method === 'SUBSCRIBE') {
      const added = [...new Set(params)].filter((name) => !connection.subscriptions.has(name));
      if (!this.#fits(connection, added)) return;
      const subscriptions = added.map((name) => this.#subscribe(connection, name));
      connection.acknowledge(`{"result":null,"id":${JSON.stringify(id ?? null)}}`, subscriptions);
    } else {
      for (const name of params) this.#host.unsubscribe(connection, name);
      this.#result(connection, null, id);
    }
  }

  pinged(connection: Connection, payload: Buffer): void {
    if (this.#counts(connection)) connection.pong(payload);
  }

  ponged(connection: Connection, payload: string): void {
    if (!this.#counts(connection)) return;
    // An unsolicited pong is allowed and keeps nothing alive.
    if (payload === connection.outstandingPing) connection.outstandingPing = null;
  }

  tick(connection: Connection, now: number): void {
    const { pingIntervalMs, pongDeadlineMs } = this.#host.limits;
    if (connection.outstandingPing !== null && now - connection.lastPingMs >= pongDeadlineMs) {
      this.#host.violated('pong-deadline', connection, `no pong within ${pongDeadlineMs} ms`);
      connection.close('limit', 'pong-deadline', 1008, 'Pong timeout');
    } else if (connection.outstandingPing === null && now - connection.lastPingMs >= pingIntervalMs) {
      connection.ping(String(Date.now()));
    }
  }

  notice(connection: Connection): boolean {
    const payload = `{"e":"serverShutdown","E":${timeText(Date.now() * 1000, connection.variant)}}`;
    connection.reply(wrapped('!serverShutdown', payload, connection.variant));
    return true;
  }

  tradesFrame(stream: Stream, trades: readonly Trade[], variant: number, now: number): string {
    return wrapped(streamName(stream), tradePayload(stream, trades[0]!, variant, now), variant);
  }

  quoteFrame(stream: Stream, quote: Parameters<Protocol['quoteFrame']>[1], variant: number): string {
    return wrapped(streamName(stream), bookTickerPayload(stream, quote), variant);
  }

  tradeId(stream: Stream, trade: Trade): number {
    return stream.form === 'aggTrade' ? trade.aggregate : trade.id;
  }

  carriedTime(time: number, variant: number): number {
    return (variant & micros) !== 0 ? time : Math.floor(time / 1000) * 1000;
  }

  unknownFrame(what: 'event' | 'symbol', variant: number, now: number): string {
    const at = timeText(now, variant);
    return what === 'event'
      ? wrapped('btcusdt@mystery', `{"e":"mystery","E":${at},"s":"BTCUSDT","x":"1"}`, variant)
      : wrapped(
          'uninvitedusdt@trade',
          `{"e":"trade","E":${at},"s":"UNINVITEDUSDT","t":1,"p":"1.00000000","q":"1.00000000","T":${at},"m":true,"M":true}`,
          variant,
        );
  }

  rest(url: URL): RestAnswer | null {
    const weights: Record<string, number> = {
      '/api/v3/exchangeInfo': 20,
      '/api/v3/ping': 1,
      '/api/v3/time': 1,
    };
    const weight = weights[url.pathname];
    if (weight === undefined) return null;
    if (!this.#host.restAllowed(weight)) {
      const body = '{"code":-1003,"msg":"Too many requests; current limit of request weight is exceeded."}';
      return { status: 429, body, headers: { 'retry-after': '60' } };
    }
    if (url.pathname === '/api/v3/ping') return json({});
    if (url.pathname === '/api/v3/time') return json({ serverTime: Date.now() });
    const { symbols, symbol, symbolStatus } = Object.fromEntries(url.searchParams) as Record<
      string,
      string | undefined
    >;
    let names: string[] | null = symbol === undefined ? null : [symbol];
    if (symbols !== undefined) {
      try {
        names = JSON.parse(symbols) as string[];
      } catch {
        return {
          status: 400,
          body: '{"code":-1100,"msg":"Illegal characters found in parameter \'symbols\'."}',
        };
      }
    }
    const { instruments, byName, limits } = this.#host;
    if (names?.some((name) => !byName.has(name))) {
      return { status: 400, body: '{"code":-1121,"msg":"Invalid symbol."}' };
    }
    const asked = (names === null ? instruments : names.map((name) => byName.get(name)!)).filter(
      (instrument) => hasStatus(instrument, symbolStatus ?? null),
    );
    const weightLimit = Number.isFinite(limits.restRequests) ? limits.restRequests : 6000;
    return json(exchangeInfo(asked, weightLimit), { 'x-mbx-used-weight-1m': String(weight) });
  }

  #subscribe(connection: Connection, name: string): Subscription {
    const at = name.indexOf('@');
    const form = Object.hasOwn(forms, name.slice(at + 1))
      ? forms[name.slice(at + 1) as keyof typeof forms]
      : null;
    const instrument = this.#byStreamSymbol.get(name.slice(0, at)) ?? null;
    if (instrument === null && !name.startsWith('!')) this.#host.refusedSymbol(name);
    return this.#host.subscribe(connection, name, form, instrument);
  }

  #rejected(name: string): boolean {
    const instrument = this.#byStreamSymbol.get(name.slice(0, name.indexOf('@')));
    if (instrument === undefined || !this.#host.faults.rejected.has(instrument.native)) return false;
    this.#host.refusedSymbol(name);
    return true;
  }

  /** The 1025th stream ends the connection and all its streams (measured). */
  #fits(connection: Connection, added: readonly string[]): boolean {
    const limit = this.#host.limits.streamsPerConnection;
    if (connection.subscriptions.size + added.length <= limit) return true;
    this.#host.violated('streams-per-connection', connection, `more than ${limit} streams`);
    connection.reply('{"error":{"code":4,"msg":"Too many subscriptions"}}');
    connection.close('limit', 'streams-per-connection', 1008, 'Too many subscriptions');
    return false;
  }

  /** Pings, pongs and JSON messages count alike. */
  #counts(connection: Connection): boolean {
    if (connection.messages.hit(nowMs())) return true;
    const limit = this.#host.limits.messagesPerSecond;
    this.#host.violated('message-rate', connection, `more than ${limit} messages in a second`);
    connection.close('limit', 'message-rate', 1008, 'Too many requests');
    return false;
  }

  #property(connection: Connection, set: boolean, params: unknown, id: unknown): void {
    const [name, value] = Array.isArray(params) ? (params as unknown[]) : [];
    if (name !== 'combined') this.#error(connection, 0, 'Unknown property', id);
    else if (!set) this.#result(connection, (connection.variant & combined) !== 0, id);
    else if (typeof value !== 'boolean') {
      this.#error(connection, 1, 'Invalid value type: expected Boolean', id);
    } else {
      connection.variant = value ? connection.variant | combined : connection.variant & ~combined;
      this.#result(connection, null, id);
    }
  }

  #result(connection: Connection, result: unknown, id: unknown): void {
    connection.reply(JSON.stringify({ result, id: id ?? null }));
  }

  #invalid(connection: Connection, reason: string, id: unknown): void {
    this.#host.violated('invalid-request', connection, reason);
    this.#error(connection, 2, `Invalid request: ${reason}`, id);
  }

  /** The flat form of the documentation. */
  #error(connection: Connection, code: number, msg: string, id: unknown): void {
    connection.reply(JSON.stringify(id === undefined ? { code, msg } : { code, msg, id }));
  }
}
