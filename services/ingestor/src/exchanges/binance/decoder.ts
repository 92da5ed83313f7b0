import { NO_TIME, QuoteDraft, SIDE_BUY, SIDE_SELL, TradeDraft } from '@tickline/schemas';
import { asCode, asRecord, asRequest, readControlFrame } from '../control-frame.ts';
import type { FrameDecoder, FrameHandler } from '../exchange.ts';
import { BARE, excerpt, FrameFields, QUOTED } from '../frame-fields.ts';
import type { InstrumentIndex } from '../instrument-index.ts';
import { ABSENT, ARRAY, FALSE, OBJECT, type PlanFields, ScanPlan, STRING, TRUE } from '../scanner.ts';
import { INVALID_TIME } from '../wire-time.ts';

const SLOTS = [
  'frame',
  'stream',
  'data',
  'e',
  's',
  't',
  'p',
  'q',
  'T',
  'm',
  'a',
  'u',
  'b',
  'B',
  'A',
  'f',
  'l',
  'lastUpdateId',
  'result',
  'id',
  'error',
  'code',
] as const;
const FRAME = SLOTS.indexOf('frame');
const STREAM = SLOTS.indexOf('stream');
const DATA = SLOTS.indexOf('data');
const EVENT = SLOTS.indexOf('e');
const SYMBOL = SLOTS.indexOf('s');
const TRADE_ID = SLOTS.indexOf('t');
const PRICE = SLOTS.indexOf('p');
const QUANTITY = SLOTS.indexOf('q');
const TIME = SLOTS.indexOf('T');
const BUYER_IS_MAKER = SLOTS.indexOf('m');
/** One key, two meanings: the ask's price in a bookTicker, the id in an aggTrade. */
const ASK = SLOTS.indexOf('a');
const AGGREGATE_ID = ASK;
const UPDATE_ID = SLOTS.indexOf('u');
const BID = SLOTS.indexOf('b');
const BID_QUANTITY = SLOTS.indexOf('B');
const ASK_QUANTITY = SLOTS.indexOf('A');
const FIRST_FILL = SLOTS.indexOf('f');
const LAST_FILL = SLOTS.indexOf('l');
const LAST_UPDATE_ID = SLOTS.indexOf('lastUpdateId');
const RESULT = SLOTS.indexOf('result');
const ID = SLOTS.indexOf('id');
const ERROR = SLOTS.indexOf('error');
const CODE = SLOTS.indexOf('code');

const EVENT_FIELDS: PlanFields = {
  e: EVENT,
  s: SYMBOL,
  t: TRADE_ID,
  p: PRICE,
  q: QUANTITY,
  T: TIME,
  m: BUYER_IS_MAKER,
  a: ASK,
  u: UPDATE_ID,
  b: BID,
  B: BID_QUANTITY,
  A: ASK_QUANTITY,
  f: FIRST_FILL,
  l: LAST_FILL,
  lastUpdateId: LAST_UPDATE_ID,
};
/** `/stream`: what we use. */
const WRAPPED = new ScanPlan({ stream: STREAM, data: { slot: DATA, fields: EVENT_FIELDS } });
/** `/ws`, and control frames, which are never wrapped. */
const RAW = new ScanPlan({ ...EVENT_FIELDS, result: RESULT, id: ID, error: ERROR, code: CODE });

const TRADE_EVENT = Buffer.from('trade');
const AGGREGATE_EVENT = Buffer.from('aggTrade');
const QUOTE_EVENT = Buffer.from('bookTicker');
const SHUTDOWN_EVENT = Buffer.from('serverShutdown');

/** Events that carry no tick of ours (web-socket-streams.md). */
const OTHER_EVENTS: ReadonlySet<string> = new Set([
  'depthUpdate',
  'kline',
  '24hrTicker',
  '24hrMiniTicker',
  '1hTicker',
  '4hTicker',
  '1dTicker',
  'avgPrice',
  'referencePrice',
  'blockTrade',
  'markPriceUpdate',
  'indexPriceUpdate',
  'forceOrder',
  'continuous_kline',
  'compositeIndex',
  'contractInfo',
]);

const MAX_FILLS = 0x7fffffff;

/** Frames of Binance spot, wrapped (`/stream`) or raw (`/ws`). */
export class BinanceDecoder implements FrameDecoder {
  private readonly fields = new FrameFields(SLOTS);
  private readonly instruments: InstrumentIndex;
  private readonly tradeDraft = new TradeDraft();
  private readonly quoteDraft = new QuoteDraft();

  constructor(instruments: InstrumentIndex) {
    this.instruments = instruments;
  }

  decode(bytes: Uint8Array, start: number, end: number, handler: FrameHandler): void {
    this.fields.handler = handler;
    if (!this.fields.scan(bytes, start, end, FRAME, WRAPPED)) {
      handler.invalid('not-json', excerpt(this.fields.frame));
      return;
    }
    const data = this.fields.kind(DATA);
    if (data === OBJECT) this.event();
    else if (data === ARRAY)
      handler.skipped(this.fields.kind(STREAM) === STRING ? this.fields.excerpt(STREAM) : 'array');
    else if (data === ABSENT && this.fields.kind(FRAME) === OBJECT) this.unwrapped();
    else handler.invalid('unknown-type', excerpt(this.fields.frame));
  }

  private unwrapped(): void {
    this.fields.scanAgain(FRAME, RAW);
    const answers =
      this.fields.kind(RESULT) !== ABSENT ||
      this.fields.kind(ID) !== ABSENT ||
      this.fields.kind(ERROR) !== ABSENT ||
      this.fields.kind(CODE) !== ABSENT;
    if (answers && this.fields.kind(EVENT) === ABSENT) this.answer();
    else this.event();
  }

  private event(): void {
    if (this.fields.holds(EVENT, TRADE_EVENT)) this.trade(TRADE_ID);
    else if (this.fields.isAbsent(EVENT)) this.untyped();
    else if (this.fields.holds(EVENT, AGGREGATE_EVENT)) this.trade(AGGREGATE_ID);
    else if (this.fields.holds(EVENT, QUOTE_EVENT)) this.quote();
    else if (this.fields.holds(EVENT, SHUTDOWN_EVENT)) {
      this.fields.handler.control({ kind: 'shutdown', reason: 'serverShutdown' });
    } else {
      const event = this.fields.excerpt(EVENT);
      if (OTHER_EVENTS.has(event)) this.fields.handler.skipped(event);
      else this.fields.handler.invalid('unknown-type', `e ${event}`);
    }
  }

  /** A spot bookTicker has no `e`, nor has a partial book, which is told by `lastUpdateId`. */
  private untyped(): void {
    if (this.fields.kind(LAST_UPDATE_ID) !== ABSENT) {
      this.fields.handler.skipped('depth');
      return;
    }
    const looksLikeQuote =
      this.fields.kind(BID) !== ABSENT ||
      this.fields.kind(ASK) !== ABSENT ||
      this.fields.kind(BID_QUANTITY) !== ABSENT ||
      this.fields.kind(ASK_QUANTITY) !== ABSENT;
    if (looksLikeQuote) this.quote();
    else this.fields.handler.invalid('unknown-type', 'no e, and no fields of a bookTicker');
  }

  /** `trade` or `aggTrade`; `m` true means that the buyer was the maker, so the seller took. */
  private trade(idSlot: number): void {
    const instrument = this.fields.instrument(SYMBOL, this.instruments);
    if (instrument === undefined) return;
    const draft = this.tradeDraft;
    if (
      !this.fields.price(PRICE, QUOTED, draft.price) ||
      !this.fields.quantity(QUANTITY, QUOTED, draft.quantity)
    )
      return;
    if (!this.fields.countingId(idSlot, BARE, draft.tradeId)) return;
    const time = this.fields.time(TIME, BARE);
    if (time === INVALID_TIME) return;
    draft.exchangeTime = time;
    const maker = this.fields.kind(BUYER_IS_MAKER);
    if (maker === TRUE) draft.side = SIDE_SELL;
    else if (maker === FALSE) draft.side = SIDE_BUY;
    else {
      this.fields.unusable(BUYER_IS_MAKER, 'true or false');
      return;
    }
    draft.fillCount = idSlot === AGGREGATE_ID ? this.fillCount() : 0;
    this.fields.handler.trade(instrument, draft);
  }

  /** `f` to `l` are the raw trades that an aggTrade covers; nothing depends on them. */
  private fillCount(): number {
    const first = this.fields.wholeNumber(FIRST_FILL, BARE);
    const last = this.fields.wholeNumber(LAST_FILL, BARE);
    const count = last - first + 1;
    return first >= 0 && last >= first && count <= MAX_FILLS ? count : 0;
  }

  /** Spot gives no time; the frame of the same name on futures has the matching engine's in `T`. */
  private quote(): void {
    const instrument = this.fields.instrument(SYMBOL, this.instruments);
    if (instrument === undefined) return;
    const draft = this.quoteDraft;
    if (!this.fields.side(BID, BID_QUANTITY, QUOTED, draft.bidPrice, draft.bidQuantity)) return;
    if (!this.fields.side(ASK, ASK_QUANTITY, QUOTED, draft.askPrice, draft.askQuantity)) return;
    if (!this.fields.countingId(UPDATE_ID, BARE, draft.updateId)) return;
    draft.exchangeTime = NO_TIME;
    if (this.fields.kind(TIME) !== ABSENT) {
      const time = this.fields.time(TIME, BARE);
      if (time === INVALID_TIME) return;
      draft.exchangeTime = time;
    }
    this.fields.handler.quote(instrument, draft);
  }

  /**
   * An answer to a request of ours. Errors come flat (`{"code":2,"msg":…,"id":17}`, documented) or
   * nested (`{"error":{"code":2,"msg":…},"id":17}`, observed).
   */
  private answer(): void {
    const answer = readControlFrame(this.fields.frame);
    if (answer === null) {
      this.fields.handler.invalid('unknown-type', excerpt(this.fields.frame));
      return;
    }
    const request = asRequest(answer.id);
    const error = asRecord(answer.error) ?? (answer.code === undefined ? null : answer);
    if (error !== null) {
      const code = asCode(error.code);
      const reason = String(error.msg ?? 'no text');
      if (/too many requests/i.test(reason)) this.fields.handler.control({ kind: 'throttled', reason });
      else if (request === null) this.fields.handler.control({ kind: 'error', code, reason });
      else
        this.fields.handler.control({
          kind: 'rejected',
          request,
          topics: null,
          scope: 'request',
          code,
          reason,
        });
    } else if (answer.result === null) {
      this.fields.handler.control({ kind: 'ack', request, topics: null });
    } else if (answer.result !== undefined) {
      this.fields.handler.control({ kind: 'info', subject: 'answer' });
    } else {
      this.fields.handler.invalid('unknown-type', excerpt(this.fields.frame));
    }
  }
}
