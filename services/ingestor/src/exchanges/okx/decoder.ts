import type { Decimal } from '@tickline/schemas';
import { QuoteDraft, SIDE_BUY, SIDE_SELL, TradeDraft } from '@tickline/schemas';
import { ContractQuantities } from '../contract-quantity.ts';
import { asCode, asRecord, asRequest, asText, readControlFrame } from '../control-frame.ts';
import type { FrameDecoder, FrameHandler } from '../exchange.ts';
import { excerpt, FrameFields, QUOTED, QUOTED_OR_BARE } from '../frame-fields.ts';
import type { IndexedInstrument } from '../instrument.ts';
import type { InstrumentIndex } from '../instrument-index.ts';
import { ABSENT, ARRAY, OBJECT, type PlanFields, ScanPlan, STRING } from '../scanner.ts';
import { INVALID_TIME } from '../wire-time.ts';
import { topicName } from './requests.ts';

const SLOTS = [
  'frame',
  'event',
  'arg',
  'channel',
  'arg.instId',
  'data',
  'item',
  'instId',
  'tradeId',
  'px',
  'sz',
  'side',
  'ts',
  'count',
  'bids',
  'asks',
  'seqId',
  'level',
  'price',
  'quantity',
] as const;
const FRAME = SLOTS.indexOf('frame');
const EVENT = SLOTS.indexOf('event');
const ARGUMENT = SLOTS.indexOf('arg');
const CHANNEL = SLOTS.indexOf('channel');
const ARGUMENT_INSTRUMENT = SLOTS.indexOf('arg.instId');
const DATA = SLOTS.indexOf('data');
const ITEM = SLOTS.indexOf('item');
const INSTRUMENT = SLOTS.indexOf('instId');
const TRADE_ID = SLOTS.indexOf('tradeId');
const PRICE = SLOTS.indexOf('px');
const SIZE = SLOTS.indexOf('sz');
const SIDE = SLOTS.indexOf('side');
const TIME = SLOTS.indexOf('ts');
const COUNT = SLOTS.indexOf('count');
const BIDS = SLOTS.indexOf('bids');
const ASKS = SLOTS.indexOf('asks');
const SEQUENCE = SLOTS.indexOf('seqId');
const LEVEL = SLOTS.indexOf('level');
const LEVEL_PRICE = SLOTS.indexOf('price');
const LEVEL_SIZE = SLOTS.indexOf('quantity');

/** Of a trade or a best bid and offer. */
const ITEM_FIELDS: PlanFields = {
  instId: INSTRUMENT,
  tradeId: TRADE_ID,
  px: PRICE,
  sz: SIZE,
  side: SIDE,
  ts: TIME,
  count: COUNT,
  bids: BIDS,
  asks: ASKS,
  seqId: SEQUENCE,
};
const ENVELOPE = new ScanPlan({
  event: EVENT,
  arg: { slot: ARGUMENT, fields: { channel: CHANNEL, instId: ARGUMENT_INSTRUMENT } },
  data: { slot: DATA, itemSlot: ITEM, fields: ITEM_FIELDS },
});
const ITEM_PLAN = new ScanPlan(ITEM_FIELDS);

const PONG = Buffer.from('pong');
const TRADES = Buffer.from('trades');
const QUOTES = Buffer.from('bbo-tbt');
const BUY = Buffer.from('buy');
const SELL = Buffer.from('sell');
const MAX_FILLS = 0x7fffffff;

/** Channels that carry no tick of ours ("Public channels", "Order book trading channels"). */
const OTHER_CHANNEL =
  /^(tickers|trades-all|books.*|candle.*|mark-price.*|index-.*|funding-rate|open-interest|liquidation-orders|instruments|price-limit|estimated-price|opt-summary|option-trades|adl-warning|economic-calendar|call-auction-details|status)$/;

/** Frames of OKX v5: `arg` says what a data frame is, control frames have `event`. */
export class OkxDecoder implements FrameDecoder {
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
    // The answer to our ping is text, not JSON.
    if (end - start === PONG.length && PONG.equals(bytes.subarray(start, end)))
      handler.control({ kind: 'pong' });
    else if (!this.fields.scan(bytes, start, end, FRAME, ENVELOPE))
      handler.invalid('not-json', excerpt(this.fields.frame));
    else if (this.fields.kind(FRAME) !== OBJECT) handler.invalid('unknown-type', excerpt(this.fields.frame));
    else if (this.fields.kind(EVENT) !== ABSENT) this.event();
    else if (this.fields.holds(CHANNEL, TRADES)) this.items(true);
    else if (this.fields.holds(CHANNEL, QUOTES)) this.items(false);
    else if (this.fields.kind(CHANNEL) !== STRING)
      handler.invalid('unknown-type', excerpt(this.fields.frame));
    else {
      const channel = this.fields.excerpt(CHANNEL);
      if (OTHER_CHANNEL.test(channel)) handler.skipped(channel);
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
    if (this.fields.kind(ITEM) !== OBJECT) {
      this.fields.unusable(ITEM, 'an object');
      return;
    }
    // The items of bbo-tbt do not name the instrument.
    const named = this.fields.kind(INSTRUMENT) === ABSENT ? ARGUMENT_INSTRUMENT : INSTRUMENT;
    const instrument = this.fields.instrument(named, this.instruments);
    if (instrument === undefined) return;
    if (isTrade) this.trade(instrument);
    else this.quote(instrument);
  }

  /** `side` is the taker's; `count` fills ending with `tradeId` were merged. */
  private trade(instrument: IndexedInstrument): void {
    const draft = this.tradeDraft;
    if (!this.fields.price(PRICE, QUOTED, draft.price)) return;
    if (!this.size(SIZE, instrument, draft.price, draft.quantity, draft.contracts)) return;
    if (!this.fields.countingId(TRADE_ID, QUOTED, draft.tradeId)) return;
    const time = this.fields.time(TIME, QUOTED_OR_BARE);
    if (time === INVALID_TIME) return;
    draft.exchangeTime = time;
    if (this.fields.holds(SIDE, BUY)) draft.side = SIDE_BUY;
    else if (this.fields.holds(SIDE, SELL)) draft.side = SIDE_SELL;
    else {
      this.fields.unusable(SIDE, 'buy or sell');
      return;
    }
    draft.fillCount = 0;
    if (!this.fields.isAbsent(COUNT)) {
      const count = this.fields.wholeNumber(COUNT, QUOTED_OR_BARE);
      if (count < 1 || count > MAX_FILLS) {
        this.fields.refuse('invalid-field', COUNT, 'is not a count of fills');
        return;
      }
      draft.fillCount = count;
    }
    this.fields.handler.trade(instrument, draft);
  }

  /** `ts` is the matching engine's time. */
  private quote(instrument: IndexedInstrument): void {
    const draft = this.quoteDraft;
    if (!this.best(BIDS, instrument, draft.bidPrice, draft.bidQuantity, draft.bidContracts)) return;
    if (!this.best(ASKS, instrument, draft.askPrice, draft.askQuantity, draft.askContracts)) return;
    const time = this.fields.optionalTime(TIME, QUOTED_OR_BARE);
    if (time === INVALID_TIME) return;
    draft.exchangeTime = time;
    // Frames from before 2023 have none.
    draft.updateId.clear();
    if (!this.fields.isAbsent(SEQUENCE) && !this.fields.countingId(SEQUENCE, QUOTED_OR_BARE, draft.updateId))
      return;
    this.fields.handler.quote(instrument, draft);
  }

  /** The first of the rows `[price, size, "0", orders]`; no row: the side is empty. */
  private best(
    slot: number,
    instrument: IndexedInstrument,
    price: Decimal,
    quantity: Decimal,
    contracts: Decimal,
  ): boolean {
    if (this.fields.kind(slot) !== ARRAY) return this.fields.unusable(slot, 'an array of levels');
    const level = this.fields.first(slot);
    if (level === -1) {
      price.clear();
      quantity.clear();
      contracts.clear();
      return true;
    }
    if (!this.fields.pair(level, LEVEL, LEVEL_PRICE, LEVEL_SIZE))
      return this.fields.unusable(slot, 'an array of levels');
    if (!this.fields.price(LEVEL_PRICE, QUOTED, price)) return false;
    return this.size(LEVEL_SIZE, instrument, price, quantity, contracts);
  }

  /** `sz` is in the base coin on spot, in contracts elsewhere. */
  private size(
    slot: number,
    instrument: IndexedInstrument,
    price: Decimal,
    quantity: Decimal,
    contracts: Decimal,
  ): boolean {
    if (!this.fields.quantity(slot, QUOTED, quantity)) return false;
    if (instrument.kind === 'spot') {
      contracts.clear();
      return true;
    }
    contracts.copy(quantity);
    if (this.contracts.toBase(instrument, contracts, price, quantity)) return true;
    return this.fields.refuse('invalid-quantity', slot, 'in the base coin does not fit decimal(38, 18)');
  }

  private event(): void {
    const message = readControlFrame(this.fields.frame);
    const event = message === null ? null : asText(message.event);
    if (message === null || event === null) {
      this.fields.handler.invalid('unknown-type', excerpt(this.fields.frame));
      return;
    }
    const request = asRequest(message.id);
    const code = asCode(message.code);
    const reason = asText(message.msg) ?? 'no text';
    if (event === 'subscribe')
      this.fields.handler.control({ kind: 'ack', request, topics: argumentTopic(message.arg) });
    else if (event === 'unsubscribe') {
      this.fields.handler.control({ kind: 'unsubscribed', request, topics: argumentTopic(message.arg) });
    } else if (event === 'notice' && code === '64008')
      this.fields.handler.control({ kind: 'shutdown', reason });
    else if (event === 'error') this.refusal(request, code, reason);
    else this.fields.handler.control({ kind: 'info', subject: event });
  }

  /** An error frame has no `arg`: the text names the channel and instrument that do not exist (60018). */
  private refusal(request: number | null, code: string | null, reason: string): void {
    if (code === '60014') {
      this.fields.handler.control({ kind: 'throttled', reason });
      return;
    }
    const topics = topicsIn(reason);
    if (topics === null && request === null) this.fields.handler.control({ kind: 'error', code, reason });
    else {
      const scope = topics === null ? 'request' : 'topics';
      this.fields.handler.control({ kind: 'rejected', request, topics, scope, code, reason });
    }
  }
}

/** The topic of an acknowledgement's `arg`; null when it names no instrument. */
function argumentTopic(value: unknown): string[] | null {
  const argument = asRecord(value);
  const channel = asText(argument?.channel);
  const instrument = asText(argument?.instId);
  return channel === null || instrument === null ? null : [topicName(channel, instrument)];
}

/** Topics in `… channel:trades,instId:NOPE-USDT doesn't exist …`; null when there is none. */
function topicsIn(text: string): string[] | null {
  const topics = [...text.matchAll(/channel:\s*([^\s,:]+)\s*,\s*instId:\s*([^\s,]+)/g)].map(
    ([, channel = '', instrument = '']) => topicName(channel, instrument),
  );
  return topics.length === 0 ? null : topics;
}
