import { avroType, type Quote, QuoteDraft, type Status, type Trade, TradeDraft } from '@tickline/schemas';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Exchange, FrameDecoder, FrameHandler } from '../exchanges/exchange.ts';
import type { IndexedInstrument, Instrument } from '../exchanges/instrument.ts';
import { InstrumentIndex } from '../exchanges/instrument-index.ts';
import type { FeedSession } from '../feed/feed.ts';
import type { DeadLetter, EncodedTick, StreamDescriptor, TickFormat } from '../sinks/sink.ts';
import { ExchangeCounters } from '../telemetry/counters.ts';
import { ExchangePipeline } from './exchange-pipeline.ts';
import { StatusRecords } from './status-records.ts';
import { tickEncoders } from './tick-encoder.ts';

/** Frames of the stub exchange: a list of calls of the handler. */
type Call =
  | { trade: string; symbol?: string; time?: number; fills?: number }
  | { quote: string | null; symbol?: string; time?: number }
  | { invalid: string }
  | { control: 'pong' }
  | { skipped: string };

const types = { trades: avroType('trades'), quotes: avroType('quotes'), status: avroType('status') };

let index: InstrumentIndex;
let instrument: IndexedInstrument;
let counters: ExchangeCounters;
let pipeline: ExchangePipeline;
let published: { topic: string; key: string; record: Trade | Quote | Status }[];
let letters: DeadLetter[];
let accepts: boolean;

const formats: ReadonlySet<TickFormat> = new Set(['avro']);

const btc: Instrument = {
  exchange: 'binance',
  symbol: 'BTC-USDT',
  exchangeSymbol: 'BTCUSDT',
  kind: 'spot',
  base: 'BTC',
  quote: 'USDT',
  settle: 'USDT',
  status: 'trading',
  nativeStatus: 'TRADING',
  priceIncrement: null,
  quantityIncrement: null,
  contractSize: null,
  inverse: false,
  expiry: null,
};

const decoder: FrameDecoder = {
  decode(frame, start, end, handler: FrameHandler) {
    const bytes = (text: string) => [Buffer.from(text), 0, Buffer.byteLength(text)] as const;
    for (const call of JSON.parse(Buffer.from(frame.subarray(start, end)).toString()) as Call[]) {
      if ('trade' in call) {
        const trade = new TradeDraft();
        trade.price.parseText('64250.1');
        trade.quantity.parseText('0.5');
        trade.tradeId.set(...bytes(call.trade));
        trade.exchangeTime = call.time ?? 1_000;
        trade.fillCount = call.fills ?? 0;
        handler.trade(lookup(call.symbol), trade);
      } else if ('quote' in call) {
        const quote = new QuoteDraft();
        quote.bidPrice.parseText('1');
        quote.bidQuantity.parseText('2');
        if (call.quote !== null) quote.updateId.set(...bytes(call.quote));
        if (call.time !== undefined) quote.exchangeTime = call.time;
        handler.quote(lookup(call.symbol), quote);
      } else if ('invalid' in call) handler.invalid('not-json', call.invalid);
      else if ('control' in call) handler.control({ kind: 'pong' });
      else handler.skipped(call.skipped);
    }
  },
};

function lookup(symbol = 'BTCUSDT'): IndexedInstrument {
  return index.add({ ...btc, exchangeSymbol: symbol, symbol: symbol === 'BTCUSDT' ? 'BTC-USDT' : symbol });
}

function session(ordinal: number): FeedSession & { data: (channel: string, slot: number) => void } {
  return {
    exchange: 'binance',
    connection: 'binance-0',
    id: `session-${ordinal}`,
    ordinal,
    control: () => undefined,
    data: () => undefined,
  };
}

const first = session(1);
const second = session(2);

function receive(from: FeedSession, ...calls: Call[]): void {
  // As within a socket's chunk: what lies around the frame is not its own.
  const bytes = Buffer.from(`]${JSON.stringify(calls)}[`);
  pipeline.frame(from, bytes, 1, bytes.length - 1, 5_000_000);
}

function records<T>(topic: string): T[] {
  return published.filter((each) => each.topic === topic).map((each) => each.record as T);
}

beforeEach(() => {
  index = new InstrumentIndex();
  instrument = index.add(btc);
  counters = new ExchangeCounters('binance', ['not-json', 'unknown-symbol']);
  published = [];
  letters = [];
  accepts = true;
  const open = ({ topic, key }: StreamDescriptor) => ({
    append(tick: EncodedTick) {
      if (!accepts && topic !== 'status') return false;
      const body = Buffer.from(tick.bytes.subarray(tick.start + 5, tick.end));
      published.push({ topic, key, record: types[topic as keyof typeof types].fromBuffer(body) as Trade });
      return true;
    },
  });
  pipeline = new ExchangePipeline(
    { name: 'binance', tradeIds: 'counting', createDecoder: () => decoder } as unknown as Exchange,
    index,
    counters,
    {
      open,
      deadLetter: (letter) => letters.push({ ...letter, frame: Buffer.from(letter.frame) }),
      status: new StatusRecords(
        formats,
        () => 3,
        'producer',
        (descriptor) => [{ sink: 'kafka', stream: open(descriptor) }],
      ),
      refusingSink: 'kafka',
      encoders: tickEncoders(formats, (topic) => ({ trades: 1, quotes: 2, status: 3 })[topic]),
      producer: 'producer',
    },
  );
  pipeline.subscribe(instrument, 'trades');
  pipeline.subscribe(instrument, 'quotes');
});

function lose(reason: string): void {
  for (const channel of ['trades', 'quotes'] as const) {
    pipeline.subscription({
      exchange: 'binance',
      channel,
      instrument,
      from: 'live',
      to: 'requested',
      session: null,
      reason,
      reconnected: false,
    });
  }
}

describe('ExchangePipeline', () => {
  it('numbers, names and encodes each tick', () => {
    receive(first, { trade: '7', time: 4_999_000 }, { quote: '70' });
    receive(second, { trade: '8', time: 4_999_000 });
    expect(published.map(({ topic, key }) => `${topic} ${key}`)).toEqual([
      'trades BTC-USDT',
      'quotes BTC-USDT',
      'trades BTC-USDT',
    ]);
    expect(records<Trade>('trades')).toMatchObject([
      {
        exchange: 'binance',
        symbol: 'BTC-USDT',
        exchangeSymbol: 'BTCUSDT',
        producer: 'producer',
        session: 'session-1',
        sequence: 1,
        tradeId: '7',
        price: '64250.1',
        receiveTime: 5_000_000,
        exchangeTime: 4_999_000,
      },
      { session: 'session-2', sequence: 2, tradeId: '8' },
    ]);
    expect(records<Quote>('quotes')).toMatchObject([
      { sequence: 1, updateId: '70', bidPrice: '1', askPrice: null },
    ]);
    expect([...counters.ticks]).toEqual([2, 1]);
    expect(counters.latency.sum).toBe(2);
  });

  it('counts each message once, in the channel of its content', () => {
    receive(first, { trade: '1' }, { trade: '2' });
    receive(first, { quote: '1' });
    receive(first, { control: 'pong' });
    receive(first, { skipped: 'tickers' });
    receive(first, { invalid: 'x' }, { invalid: 'y' });
    expect([...counters.messages]).toEqual([1, 1, 1, 1, 1]);
    expect(counters.invalid.get('not-json')).toBe(2);
  });

  it('sends an invalid frame to the dead letters once, as it came, and goes on', () => {
    receive(first, { invalid: 'x' }, { trade: '1' }, { invalid: 'y' });
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({
      exchange: 'binance',
      reason: 'not-json',
      detail: 'x',
      session: 'session-1',
    });
    expect(letters[0]!.frame.toString()).toContain('"invalid":"y"');
    expect(records<Trade>('trades')).toHaveLength(1);
  });

  it('refuses a symbol that was not subscribed', () => {
    receive(first, { trade: '1', symbol: 'ODDUSDT' }, { quote: '1', symbol: 'ODDUSDT' });
    expect(published).toEqual([]);
    expect(letters[0]).toMatchObject({ reason: 'unknown-symbol' });
  });

  it('names the ids that are missing within a session', () => {
    receive(first, { trade: '10' }, { trade: '14' });
    expect(records<Status>('status')).toMatchObject([
      { state: 'gap', channel: 'trades', firstId: '11', lastId: '13', count: 3, reason: 'ids are missing' },
    ]);
    expect(records<Trade>('trades').map((trade) => trade.sequence)).toEqual([1, 2]);
  });

  it('names what a lost session cost, and nothing when nothing is missing', () => {
    receive(first, { trade: '10' });
    lose('half-open');
    receive(second, { trade: '14' });
    lose('closed');
    receive(second, { trade: '15' });
    expect(records<Status>('status')).toMatchObject([
      { state: 'gap', firstId: '11', lastId: '13', reason: 'half-open' },
    ]);
  });

  it('suspects a gap by time where ids prove nothing', () => {
    receive(first, { quote: '10' });
    lose('closed by the exchange');
    receive(second, { quote: '14' });
    receive(second, { quote: '15' });
    expect(records<Status>('status')).toMatchObject([
      {
        state: 'gap',
        channel: 'quotes',
        firstId: null,
        count: null,
        firstTime: 5_000_000,
        reason: 'closed by the exchange',
      },
    ]);
  });

  it('suspects a gap where nothing had come yet when a session was lost', () => {
    lose('half-open');
    receive(second, { trade: '14' }, { trade: '15' });
    expect(records<Status>('status')).toMatchObject([
      {
        state: 'gap',
        channel: 'trades',
        firstId: null,
        lastId: null,
        firstTime: null,
        lastTime: 5_000_000,
        reason: 'half-open',
      },
    ]);
  });

  it('suppresses a quote that is sent again, and follows a restart of its numbering', () => {
    receive(
      first,
      { quote: '10' },
      { quote: '10' },
      { quote: '11' },
      { quote: '1' },
      { quote: null },
      { quote: null },
    );
    expect(records<Quote>('quotes').map((quote) => quote.updateId)).toEqual(['10', '11', '1', null, null]);
    expect(counters.repeats[1]).toBe(1);
  });

  it('publishes each tick once while two sessions overlap', () => {
    receive(first, { trade: '1' }, { quote: '5' });
    pipeline.handover('begin', first, second);
    receive(first, { trade: '2' }, { quote: '6' });
    receive(second, { trade: '2' }, { trade: '3' }, { quote: '5' }, { quote: '6' }, { quote: '7' });
    receive(first, { trade: '3' }, { trade: '4' }, { quote: '7' });
    pipeline.handover('end', first, second);
    receive(second, { trade: '5' }, { quote: '8' });
    expect(records<Trade>('trades').map((trade) => trade.tradeId)).toEqual(['1', '2', '3', '4', '5']);
    expect(records<Quote>('quotes').map((quote) => quote.updateId)).toEqual(['5', '6', '7', '8']);
    expect(records<Status>('status')).toEqual([]);
  });

  it('takes what the new session skips for missing only when the old one does not bring it either', () => {
    receive(first, { trade: '1' });
    pipeline.handover('begin', first, second);
    receive(second, { trade: '5' });
    receive(first, { trade: '2' }, { trade: '4' }, { trade: '5' });
    expect(records<Status>('status')).toEqual([]);
    pipeline.handover('end', first, second);
    receive(second, { trade: '6' });
    expect(records<Trade>('trades').map((trade) => trade.tradeId)).toEqual(['1', '5', '2', '4', '6']);
    expect(records<Status>('status')).toMatchObject([
      { state: 'gap', firstId: '3', lastId: '3', count: 1, session: 'session-2' },
    ]);
  });

  it('publishes no trade again that the old session brought before it died ahead of the new one', () => {
    receive(first, { trade: '1' });
    pipeline.handover('begin', first, second);
    receive(second, { trade: '2' });
    receive(first, { trade: '2' }, { trade: '3' }, { trade: '4' });
    pipeline.handover('end', first, second);
    receive(second, { trade: '3' }, { trade: '4' }, { trade: '5' }, { trade: '5' });
    // The last one is the exchange's own repeat, and no business of the overlap.
    expect(records<Trade>('trades').map((trade) => trade.tradeId)).toEqual(['1', '2', '3', '4', '5', '5']);
    expect(counters.repeats[0]).toBe(3);
    expect(records<Status>('status')).toEqual([]);
  });

  it('leaves sessions alone that take no part in an overlap', () => {
    const third = session(3);
    receive(third, { trade: '1' }, { quote: '5' });
    pipeline.handover('begin', first, second);
    receive(third, { trade: '1' }, { trade: '4' }, { quote: '3' });
    expect(records<Trade>('trades').map((trade) => trade.tradeId)).toEqual(['1', '1', '4']);
    expect(records<Quote>('quotes').map((quote) => quote.updateId)).toEqual(['5', '3']);
    expect(records<Status>('status')).toMatchObject([{ state: 'gap', firstId: '2', lastId: '3' }]);
  });

  it('names the lost session as the reason although a repeat comes first', () => {
    receive(first, { trade: '10' });
    lose('half-open');
    receive(second, { trade: '10' }, { trade: '14' });
    expect(records<Status>('status')).toMatchObject([{ firstId: '11', lastId: '13', reason: 'half-open' }]);
  });

  it('suspects no gap where a new session begins with the quote that came last', () => {
    receive(first, { quote: '10' });
    lose('half-open');
    receive(second, { quote: '10' }, { quote: '11' });
    expect(records<Status>('status')).toEqual([]);
  });

  it('suspects a gap after a rejection of what was live', () => {
    receive(first, { quote: '10' });
    pipeline.subscription({
      exchange: 'binance',
      channel: 'quotes',
      instrument,
      from: 'live',
      to: 'rejected',
      session: first,
      reason: 'delisted',
      reconnected: false,
    });
    receive(second, { quote: '12' });
    expect(records<Status>('status')).toMatchObject([
      { state: 'rejected' },
      { state: 'gap', channel: 'quotes', firstTime: 5_000_000, reason: 'delisted' },
    ]);
  });

  it('orders quotes without ids by their time while two sessions overlap', () => {
    receive(first, { quote: null, time: 1_000 });
    pipeline.handover('begin', first, second);
    receive(second, { quote: null, time: 1_000 }, { quote: null, time: 1_002 });
    receive(first, { quote: null, time: 1_001 }, { quote: null, time: 1_002 }, { quote: null, time: 1_003 });
    pipeline.handover('end', first, second);
    receive(second, { quote: null, time: 1_003 });
    expect(records<Quote>('quotes').map((quote) => quote.exchangeTime)).toEqual([1_000, 1_002, 1_003, 1_003]);
  });

  it('names what was shed while no sink had room', () => {
    receive(first, { trade: '1' });
    accepts = false;
    receive(first, { trade: '2' }, { trade: '3' });
    accepts = true;
    receive(first, { trade: '4' });
    expect(records<Trade>('trades').map((trade) => trade.sequence)).toEqual([1, 4]);
    expect(records<Status>('status')).toMatchObject([
      { state: 'shedding', firstTime: 5_000_000, firstId: null },
      { state: 'gap', firstId: '2', lastId: '3', count: 2 },
    ]);
    expect(counters.shed[0]).toBe(2);
    accepts = false;
    receive(first, { trade: '5' });
    pipeline.closeShed();
    expect(records<Status>('status').slice(2)).toMatchObject([
      { state: 'shedding' },
      { state: 'gap', firstId: '5', lastId: '5', count: 1 },
    ]);
  });

  it('tells an exchange time after ours apart', () => {
    receive(first, { trade: '1', time: 5_000_001 });
    expect(counters.clockSkew).toBe(1);
    expect(counters.latency.sum).toBe(0);
  });

  it.each([
    [{ to: 'acknowledged', reconnected: false }, 'acknowledged'],
    [{ to: 'live', reconnected: false }, 'live'],
    [{ to: 'acknowledged', reconnected: true }, 'reconnected'],
    [{ to: 'live', reconnected: true }, 'reconnected'],
    [{ to: 'stale', reconnected: false }, 'stale'],
    [{ to: 'rejected', reconnected: false }, 'rejected'],
  ] as const)('writes %o as %s', (change, state) => {
    pipeline.subscription({
      exchange: 'binance',
      channel: 'trades',
      instrument,
      from: 'requested',
      session: second,
      reason: 'why',
      ...change,
    });
    expect(records<Status>('status')).toMatchObject([
      { state, session: 'session-2', reason: 'why', symbol: 'BTC-USDT' },
    ]);
    expect(published[0]!.key).toBe('binance:BTC-USDT:trades');
  });
});
