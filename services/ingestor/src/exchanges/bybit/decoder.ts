import type { Decimal } from '@tickline/schemas';
import { QuoteDraft, SIDE_BUY, SIDE_SELL, TradeDraft } from '@tickline/schemas';
import { ContractQuantities } from '../contract-quantity.ts';
import { asCode, asRequest, asText, readControlFrame } from '../control-frame.ts';
import type { FrameDecoder, FrameHandler } from '../exchange.ts';
import { excerpt, FrameFields, QUOTED, QUOTED_OR_BARE } from '../frame-fields.ts';
import type { IndexedInstrument } from '../instrument.ts';
import type { InstrumentIndex } from '../instrument-index.ts';
import { ABSENT, ARRAY, OBJECT, type PlanFields, ScanPlan, STRING } from '../scanner.ts';
import { INVALID_TIME } from '../wire-time.ts';

const SLOTS = [
  'frame',
  'topic',
  'type',
  'data',
  'cts',
  'item',
  's',
  'b',
  'a',
  'u',
  'T',
  'S',
  'v',
  'p',
  'i',
  'level',
  'price',
  'quantity',
] as const;
const FRAME = SLOTS.indexOf('frame');
const TOPIC = SLOTS.indexOf('topic');
const TYPE = SLOTS.indexOf('type');
const DATA = SLOTS.indexOf('data');
const ENGINE_TIME = SLOTS.indexOf('cts');
const ITEM = SLOTS.indexOf('item');
const SYMBOL = SLOTS.indexOf('s');
const BIDS = SLOTS.indexOf('b');
const ASKS = SLOTS.indexOf('a');
const UPDATE_ID = SLOTS.indexOf('u');
const TIME = SLOTS.indexOf('T');
const SIDE = SLOTS.indexOf('S');
const VOLUME = SLOTS.indexOf('v');
const PRICE = SLOTS.indexOf('p');
const TRADE_ID = SLOTS.indexOf('i');
const LEVEL = SLOTS.indexOf('level');
const LEVEL_PRICE = SLOTS.indexOf('price');
const LEVEL_QUANTITY = SLOTS.indexOf('quantity');

/** Of a trade (`data` is an array of them) or of a book (`data` is one). */
const DATA_FIELDS: PlanFields = {
  s: SYMBOL,
  b: BIDS,
  a: ASKS,
  u: UPDATE_ID,
  T: TIME,
  S: SIDE,
  v: VOLUME,
  p: PRICE,
  i: TRADE_ID,
};
const ENVELOPE = new ScanPlan({
  topic: TOPIC,
  type: TYPE,
  cts: ENGINE_TIME,
  data: { slot: DATA, itemSlot: ITEM, fields: DATA_FIELDS },
});
const ITEM_PLAN = new ScanPlan(DATA_FIELDS);

const TRADES = Buffer.from('publicTrade.');
const QUOTES = Buffer.from('orderbook.1.');
const BUY = Buffer.from('Buy');
const SELL = Buffer.from('Sell');
const DELTA = Buffer.from('delta');

/** Topics that carry no tick of ours (docs/v5/websocket/public). */
const OTHER_TOPIC =
  /^(orderbook|tickers|kline|allLiquidation|liquidation|priceLimit|system|insurance|adlAlert)\./;

/** Frames of Bybit v5 public: data messages have `topic`, control replies have `op` or `success`. */
export class BybitDecoder implements FrameDecoder {
  private readonly fields = new FrameFields(SLOTS);
  private readonly instruments: InstrumentIndex;
  private readonly contracts = new ContractQuantities();
  private readonly tradeDraft = new TradeDraft();
  private readonly quoteDraft = new QuoteDraft();

  constructor(instruments: InstrumentIndex) {
    this.instruments = instruments;
  }

  decode(bytes: Uint8Array, start: number, end: number, handler: FrameHandler): void {
    this.fields.handler = handler;
    if (!this.fields.scan(bytes, start, end, FRAME, ENVELOPE))
      handler.invalid('not-json', excerpt(this.fields.frame));
    else if (this.fields.kind(FRAME) !== OBJECT) handler.invalid('unknown-type', excerpt(this.fields.frame));
    else if (this.fields.kind(TOPIC) === ABSENT) this.answer();
    else if (this.fields.startsWith(TOPIC, TRADES)) this.trades();
    else if (this.fields.startsWith(TOPIC, QUOTES)) this.quote();
    else {
      const topic = this.fields.excerpt(TOPIC);
      if (this.fields.kind(TOPIC) === STRING && OTHER_TOPIC.test(topic))
        handler.skipped(topic.slice(0, topic.indexOf('.')));
      else handler.invalid('unknown-type', `topic ${topic}`);
    }
  }

  private trades(): void {
    if (this.fields.kind(DATA) !== ARRAY) {
      this.fields.unusable(DATA, 'an array');
      return;
    }
    if (this.fields.kind(ITEM) === ABSENT) return;
    this.item();
    for (let at = this.fields.afterFirst(); at !== -1; ) {
      at = this.fields.element(at, ITEM, ITEM_PLAN);
      this.item();
    }
  }

  private item(): void {
    if (this.fields.kind(ITEM) === OBJECT) this.trade();
    else this.fields.unusable(ITEM, 'a trade');
  }

  /** `S` is the taker's side, `T` the time of execution. */
  private trade(): void {
    const instrument = this.fields.instrument(SYMBOL, this.instruments);
    if (instrument === undefined) return;
    const draft = this.tradeDraft;
    if (!this.fields.price(PRICE, QUOTED, draft.price)) return;
    if (!this.size(VOLUME, instrument, draft.price, draft.quantity, draft.contracts)) return;
    if (!this.fields.opaqueId(TRADE_ID, draft.tradeId)) return;
    const time = this.fields.time(TIME, QUOTED_OR_BARE);
    if (time === INVALID_TIME) return;
    draft.exchangeTime = time;
    if (this.fields.holds(SIDE, BUY)) draft.side = SIDE_BUY;
    else if (this.fields.holds(SIDE, SELL)) draft.side = SIDE_SELL;
    else {
      this.fields.unusable(SIDE, 'Buy or Sell');
      return;
    }
    this.fields.handler.trade(instrument, draft);
  }

  /** `cts` is the matching engine's time; `ts`, the gateway's, is none of the quote's. */
  private quote(): void {
    if (this.fields.kind(DATA) !== OBJECT) {
      this.fields.unusable(DATA, 'an object');
      return;
    }
    const instrument = this.fields.instrument(SYMBOL, this.instruments);
    if (instrument === undefined) return;
    const draft = this.quoteDraft;
    if (!this.fields.countingId(UPDATE_ID, QUOTED_OR_BARE, draft.updateId)) return;
    const time = this.fields.optionalTime(ENGINE_TIME, QUOTED_OR_BARE);
    if (time === INVALID_TIME) return;
    draft.exchangeTime = time;
    if (!this.best(BIDS, instrument, draft.bidPrice, draft.bidQuantity, draft.bidContracts)) return;
    if (!this.best(ASKS, instrument, draft.askPrice, draft.askQuantity, draft.askContracts)) return;
    this.fields.handler.quote(instrument, draft);
  }

  /**
   * The first level of a side. Depth 1 is documented as snapshots only; in a delta, no level means
   * that the side is unchanged and a size of zero that it is gone, so it does not tell the best level.
   */
  private best(
    slot: number,
    instrument: IndexedInstrument,
    price: Decimal,
    quantity: Decimal,
    contracts: Decimal,
  ): boolean {
    if (this.fields.kind(slot) !== ARRAY) return this.fields.unusable(slot, 'an array of levels');
    const isDelta = this.fields.holds(TYPE, DELTA);
    const level = this.fields.first(slot);
    if (level === -1) {
      if (isDelta)
        return this.fields.refuse('invalid-field', slot, 'of a delta does not tell the best level');
      price.clear();
      quantity.clear();
      contracts.clear();
      return true;
    }
    if (!this.fields.pair(level, LEVEL, LEVEL_PRICE, LEVEL_QUANTITY))
      return this.fields.unusable(slot, 'an array of levels');
    if (!this.fields.price(LEVEL_PRICE, QUOTED, price)) return false;
    if (!this.size(LEVEL_QUANTITY, instrument, price, quantity, contracts)) return false;
    if (!isDelta || quantity.isPositive) return true;
    return this.fields.refuse('invalid-field', slot, 'of a delta does not tell the best level');
  }

  /** Spot and linear sizes are in the base coin, inverse ones in contracts. */
  private size(
    slot: number,
    instrument: IndexedInstrument,
    price: Decimal,
    quantity: Decimal,
    contracts: Decimal,
  ): boolean {
    if (!this.fields.quantity(slot, QUOTED, quantity)) return false;
    if (instrument.contractSize === null) {
      contracts.clear();
      return true;
    }
    contracts.copy(quantity);
    if (this.contracts.toBase(instrument, contracts, price, quantity)) return true;
    return this.fields.refuse('invalid-quantity', slot, 'in the base coin does not fit decimal(38, 18)');
  }

  private answer(): void {
    const answer = readControlFrame(this.fields.frame);
    const op = answer === null ? null : asText(answer.op);
    if (answer === null || (op === null && typeof answer.success !== 'boolean')) {
      this.fields.handler.invalid('unknown-type', excerpt(this.fields.frame));
      return;
    }
    const text = asText(answer.ret_msg) ?? '';
    // On public streams the pong's op is "ping".
    if (text === 'pong' || op === 'pong') {
      this.fields.handler.control({ kind: 'pong' });
      return;
    }
    const request = asRequest(answer.req_id);
    if (answer.success === false) this.refusal(request, asCode(answer.ret_code), text);
    else if (op === 'subscribe') this.fields.handler.control({ kind: 'ack', request, topics: null });
    else if (op === 'unsubscribe')
      this.fields.handler.control({ kind: 'unsubscribed', request, topics: null });
    else this.fields.handler.control({ kind: 'info', subject: op ?? 'answer' });
  }

  /** One bad topic refuses the whole request: the others of it are to be asked for again. */
  private refusal(request: number | null, code: string | null, text: string): void {
    const named = topicsIn(text);
    this.fields.handler.control({
      kind: 'rejected',
      request,
      topics: named.length > 0 ? named : null,
      scope: 'request',
      code,
      reason: text === '' ? 'no text' : text,
    });
  }
}

/**
 * Topics named in an error text, as whole tokens: `tickers.BTCUSDT` is not found in
 * `tickers.BTCUSDT-26DEC25`.
 */
function topicsIn(text: string): string[] {
  const tokens = text.split(/[\s,:;[\](){}"']+/).map((token) => token.replace(/\.+$/, ''));
  return [...new Set(tokens.filter((token) => /^[A-Za-z]+(\.[^.]+)+$/.test(token)))];
}
