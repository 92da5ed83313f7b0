import { NO_TIME, QuoteDraft, SIDE_BUY, SIDE_SELL, TradeDraft } from '@tickline/schemas';
import { asRecord, asRequest, asText, readControlFrame } from '../control-frame.ts';
import type { FrameDecoder, FrameHandler } from '../exchange.ts';
import { BARE, excerpt, FrameFields, QUOTED_OR_BARE } from '../frame-fields.ts';
import type { InstrumentIndex } from '../instrument-index.ts';
import { ABSENT, ARRAY, OBJECT, type PlanFields, ScanPlan, STRING } from '../scanner.ts';
import { INVALID_TIME, Rfc3339Parser } from '../wire-time.ts';
import { CHANNELS, topicName } from './requests.ts';

const SLOTS = [
  'frame',
  'channel',
  'method',
  'data',
  'item',
  'symbol',
  'side',
  'price',
  'qty',
  'trade_id',
  'timestamp',
  'bid',
  'bid_qty',
  'ask',
  'ask_qty',
] as const;
const FRAME = SLOTS.indexOf('frame');
const CHANNEL = SLOTS.indexOf('channel');
const METHOD = SLOTS.indexOf('method');
const DATA = SLOTS.indexOf('data');
const ITEM = SLOTS.indexOf('item');
const SYMBOL = SLOTS.indexOf('symbol');
const SIDE = SLOTS.indexOf('side');
const PRICE = SLOTS.indexOf('price');
const QUANTITY = SLOTS.indexOf('qty');
const TRADE_ID = SLOTS.indexOf('trade_id');
const TIMESTAMP = SLOTS.indexOf('timestamp');
const BID = SLOTS.indexOf('bid');
const BID_QUANTITY = SLOTS.indexOf('bid_qty');
const ASK = SLOTS.indexOf('ask');
const ASK_QUANTITY = SLOTS.indexOf('ask_qty');

/** Of a trade or a ticker. */
const ITEM_FIELDS: PlanFields = {
  symbol: SYMBOL,
  side: SIDE,
  price: PRICE,
  qty: QUANTITY,
  trade_id: TRADE_ID,
  timestamp: TIMESTAMP,
  bid: BID,
  bid_qty: BID_QUANTITY,
  ask: ASK,
  ask_qty: ASK_QUANTITY,
};
const ENVELOPE = new ScanPlan({
  channel: CHANNEL,
  method: METHOD,
  data: { slot: DATA, itemSlot: ITEM, fields: ITEM_FIELDS },
});
const ITEM_PLAN = new ScanPlan(ITEM_FIELDS);

const TRADES = Buffer.from(CHANNELS.trades);
const QUOTES = Buffer.from(CHANNELS.quotes);
const HEARTBEAT = Buffer.from('heartbeat');
const STATUS = Buffer.from('status');
const INSTRUMENTS = Buffer.from('instrument');
const BUY = Buffer.from('buy');
const SELL = Buffer.from('sell');

/** Channels that carry no tick of ours. */
const OTHER_CHANNELS: ReadonlySet<string> = new Set(['book', 'ohlc', 'level3']);

/**
 * Frames of Kraken spot v2. Prices and quantities are JSON numbers whose digits are taken from the
 * text; some tickers have been seen with strings, so both are accepted.
 */
export class KrakenDecoder implements FrameDecoder {
  private readonly fields = new FrameFields(SLOTS);
  private readonly instruments: InstrumentIndex;
  private readonly tradeDraft = new TradeDraft();
  private readonly quoteDraft = new QuoteDraft();
  private readonly times = new Rfc3339Parser();

  constructor(instruments: InstrumentIndex) {
    this.instruments = instruments;
  }

  decode(bytes: Uint8Array, start: number, end: number, handler: FrameHandler): void {
    this.fields.handler = handler;
    if (!this.fields.scan(bytes, start, end, FRAME, ENVELOPE))
      handler.invalid('not-json', excerpt(this.fields.frame));
    else if (this.fields.kind(FRAME) !== OBJECT) handler.invalid('unknown-type', excerpt(this.fields.frame));
    else if (this.fields.holds(CHANNEL, TRADES)) this.items(true);
    else if (this.fields.holds(CHANNEL, QUOTES)) this.items(false);
    else if (this.fields.holds(CHANNEL, HEARTBEAT)) handler.control({ kind: 'heartbeat' });
    else if (this.fields.holds(CHANNEL, STATUS)) this.status();
    else if (this.fields.holds(CHANNEL, INSTRUMENTS))
      handler.control({ kind: 'info', subject: 'instrument' });
    else if (this.fields.kind(CHANNEL) === ABSENT) this.answer();
    else {
      const channel = this.fields.excerpt(CHANNEL);
      if (this.fields.kind(CHANNEL) === STRING && OTHER_CHANNELS.has(channel)) handler.skipped(channel);
      else handler.invalid('unknown-type', `channel ${channel}`);
    }
  }

  private items(areTrades: boolean): void {
    if (this.fields.kind(DATA) !== ARRAY) {
      this.fields.unusable(DATA, 'an array');
      return;
    }
    if (this.fields.kind(ITEM) === ABSENT) return;
    this.item(areTrades);
    for (let at = this.fields.afterFirst(); at !== -1; ) {
      at = this.fields.element(at, ITEM, ITEM_PLAN);
      this.item(areTrades);
    }
  }

  private item(isTrade: boolean): void {
    if (this.fields.kind(ITEM) !== OBJECT) this.fields.unusable(ITEM, 'an object');
    else if (isTrade) this.trade();
    else this.quote();
  }

  /** `side` is the taker's. */
  private trade(): void {
    const instrument = this.fields.instrument(SYMBOL, this.instruments);
    if (instrument === undefined) return;
    const draft = this.tradeDraft;
    if (!this.fields.price(PRICE, QUOTED_OR_BARE, draft.price)) return;
    if (!this.fields.quantity(QUANTITY, QUOTED_OR_BARE, draft.quantity)) return;
    if (!this.fields.countingId(TRADE_ID, BARE, draft.tradeId)) return;
    const time = this.timestamp();
    if (time === INVALID_TIME) return;
    draft.exchangeTime = time;
    if (this.fields.holds(SIDE, BUY)) draft.side = SIDE_BUY;
    else if (this.fields.holds(SIDE, SELL)) draft.side = SIDE_SELL;
    else {
      this.fields.unusable(SIDE, 'buy or sell');
      return;
    }
    this.fields.handler.trade(instrument, draft);
  }

  /** A ticker has no update id; older frames lack the time, which is then null. */
  private quote(): void {
    const instrument = this.fields.instrument(SYMBOL, this.instruments);
    if (instrument === undefined) return;
    const draft = this.quoteDraft;
    if (!this.fields.side(BID, BID_QUANTITY, QUOTED_OR_BARE, draft.bidPrice, draft.bidQuantity)) return;
    if (!this.fields.side(ASK, ASK_QUANTITY, QUOTED_OR_BARE, draft.askPrice, draft.askQuantity)) return;
    const time = this.fields.isAbsent(TIMESTAMP) ? NO_TIME : this.timestamp();
    if (time === INVALID_TIME) return;
    draft.exchangeTime = time;
    this.fields.handler.quote(instrument, draft);
  }

  /** RFC 3339 to microseconds; INVALID_TIME when it was refused. */
  private timestamp(): number {
    if (this.fields.kind(TIMESTAMP) !== STRING) {
      this.fields.unusable(TIMESTAMP, 'a time');
      return INVALID_TIME;
    }
    const micros = this.times.parse(
      this.fields.bytes,
      this.fields.start(TIMESTAMP),
      this.fields.endOf(TIMESTAMP),
    );
    if (micros === INVALID_TIME)
      this.fields.refuse('invalid-field', TIMESTAMP, 'is not a time between 1970 and 2200');
    return micros;
  }

  private status(): void {
    const message = readControlFrame(this.fields.frame);
    const first = Array.isArray(message?.data) ? asRecord(message.data[0]) : null;
    const state = asText(first?.system);
    if (state === null) this.fields.handler.invalid('unknown-type', excerpt(this.fields.frame));
    else this.fields.handler.control({ kind: 'status', state });
  }

  private answer(): void {
    const answer = readControlFrame(this.fields.frame);
    const error = asText(answer?.error) ?? asText(answer?.Error);
    if (answer === null || (this.fields.kind(METHOD) === ABSENT && error === null)) {
      this.fields.handler.invalid('unknown-type', excerpt(this.fields.frame));
      return;
    }
    if (error !== null) this.refusal(answer, error);
    else if (answer.method === 'pong') this.fields.handler.control({ kind: 'pong' });
    else this.acknowledgement(answer);
  }

  /** One for each symbol, all with the request's number. */
  private acknowledgement(answer: Readonly<Record<string, unknown>>): void {
    const result = asRecord(answer.result);
    const channel = asText(result?.channel);
    const symbol = asText(result?.symbol);
    const topics = channel === null || symbol === null ? null : [topicName(channel, symbol)];
    const request = asRequest(answer.req_id);
    if (answer.method === 'subscribe') this.fields.handler.control({ kind: 'ack', request, topics });
    else if (answer.method === 'unsubscribe')
      this.fields.handler.control({ kind: 'unsubscribed', request, topics });
    else this.fields.handler.control({ kind: 'info', subject: asText(answer.method) ?? 'answer' });
  }

  /**
   * A refusal names the symbol, in a field or only in its text, but not the channel: both of ours are
   * given, and the request's number says which it was.
   */
  private refusal(answer: Readonly<Record<string, unknown>>, error: string): void {
    if (/exceeded msg rate/i.test(error)) {
      this.fields.handler.control({ kind: 'throttled', reason: error });
      return;
    }
    const request = asRequest(answer.req_id);
    const symbol = asText(answer.symbol) ?? symbolIn(error);
    const topics =
      symbol === null ? null : Object.values(CHANNELS).map((channel) => topicName(channel, symbol));
    if (topics !== null && answer.method === 'unsubscribe') {
      // Not subscribed is what was asked for.
      this.fields.handler.control({ kind: 'unsubscribed', request, topics });
    } else if (topics === null && request === null) {
      this.fields.handler.control({ kind: 'error', code: null, reason: error });
    } else {
      const scope = topics === null ? 'request' : 'topics';
      this.fields.handler.control({ kind: 'rejected', request, topics, scope, code: null, reason: error });
    }
  }
}

/** The pair in `Currency pair not supported XBT/USD`; null when there is none. */
function symbolIn(text: string): string | null {
  return /(?:^|[\s,:'"])([^\s,:'"/]+\/[^\s,:'"/]+)(?=$|[\s,:'"])/.exec(text)?.[1] ?? null;
}
