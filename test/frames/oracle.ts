import type { ExchangeName } from '@tickline/schemas';

/** What a tick should hold, read from the parsed frame. */
export type ExpectedTick = Readonly<Record<string, string | number | null>>;

/** What the oracle must know of an instrument that counts in contracts. */
export interface ContractFacts {
  readonly size: string | null;
  readonly inverse: boolean;
}

type Json = Record<string, unknown>;

/** A bare number of the text, kept as written: JSON.parse would make a double of it. */
class Digits {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

const parseKeepingDigits = (text: string): unknown =>
  (
    JSON.parse as (
      text: string,
      reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
    ) => unknown
  )(text, (_key, value, context) => (typeof value === 'number' ? new Digits(context.source ?? '') : value));

/**
 * Every tick of a data frame, straight from `JSON.parse`: an independent reading for the decoders'
 * tests, slow and simple. `contracts` tells which names count in contracts (absent: the base asset).
 */
export function expectedTicks(
  exchange: ExchangeName,
  text: string,
  contracts: (name: string) => ContractFacts | undefined,
): ExpectedTick[] {
  const frame = parseKeepingDigits(text) as Json;
  switch (exchange) {
    case 'binance':
      return [binance((frame.data ?? frame) as Json)];
    case 'bybit-spot':
      return bybit(frame, contracts);
    case 'okx':
      return okx(frame, contracts);
    case 'kraken':
      return kraken(frame);
  }
}

function binance(event: Json): ExpectedTick {
  if (event.e === 'trade' || event.e === 'aggTrade') {
    const [first, last] = [digits(event.f), digits(event.l)];
    return {
      channel: 'trades',
      exchangeSymbol: digits(event.s),
      exchangeTime: epochMicros(event.T),
      price: plain(event.p),
      quantity: plain(event.q),
      contracts: null,
      side: event.m === true ? 'sell' : 'buy',
      tradeId: digits(event.e === 'trade' ? event.t : event.a),
      fillCount: event.e === 'aggTrade' && first !== '' ? Number(last) - Number(first) + 1 : null,
    };
  }
  const side = (price: unknown, quantity: unknown) =>
    plain(price) === '0' && plain(quantity) === '0' ? [null, null] : [plain(price), plain(quantity)];
  const [bidPrice = null, bidQuantity = null] = side(event.b, event.B);
  const [askPrice = null, askQuantity = null] = side(event.a, event.A);
  return {
    channel: 'quotes',
    exchangeSymbol: digits(event.s),
    exchangeTime: event.T === undefined ? null : epochMicros(event.T),
    bidPrice,
    bidQuantity,
    askPrice,
    askQuantity,
    bidContracts: null,
    askContracts: null,
    updateId: digits(event.u),
  };
}

function bybit(frame: Json, contracts: (name: string) => ContractFacts | undefined): ExpectedTick[] {
  if (String(frame.topic).startsWith('publicTrade.')) {
    return (frame.data as Json[]).map((trade) => ({
      channel: 'trades',
      exchangeSymbol: digits(trade.s),
      exchangeTime: epochMicros(trade.T),
      price: plain(trade.p),
      ...sizes('quantity', 'contracts', plain(trade.v), plain(trade.p), contracts(digits(trade.s))),
      side: trade.S === 'Buy' ? 'buy' : 'sell',
      tradeId: digits(trade.i),
      fillCount: null,
    }));
  }
  const book = frame.data as Json;
  const time = frame.cts === undefined ? null : epochMicros(frame.cts);
  return [quote(book.s, book.b, book.a, time, digits(book.u), contracts)];
}

function okx(frame: Json, contracts: (name: string) => ContractFacts | undefined): ExpectedTick[] {
  const argument = frame.arg as Json;
  return (frame.data as Json[]).map((item) => {
    const name = digits(item.instId ?? argument.instId);
    if (argument.channel === 'bbo-tbt') {
      const time = item.ts === undefined ? null : epochMicros(item.ts);
      const id = item.seqId === undefined ? null : digits(item.seqId);
      return quote(name, item.bids, item.asks, time, id, contracts);
    }
    return {
      channel: 'trades',
      exchangeSymbol: name,
      exchangeTime: epochMicros(item.ts),
      price: plain(item.px),
      ...sizes('quantity', 'contracts', plain(item.sz), plain(item.px), contracts(name)),
      side: digits(item.side),
      tradeId: digits(item.tradeId),
      fillCount: item.count === undefined ? null : Number(digits(item.count)),
    };
  });
}

function kraken(frame: Json): ExpectedTick[] {
  return (frame.data as Json[]).map((item) => {
    const time = item.timestamp === undefined ? null : rfc3339Micros(digits(item.timestamp));
    if (frame.channel === 'trade') {
      return {
        channel: 'trades',
        exchangeSymbol: digits(item.symbol),
        exchangeTime: time,
        price: plain(item.price),
        quantity: plain(item.qty),
        contracts: null,
        side: digits(item.side),
        tradeId: digits(item.trade_id),
        fillCount: null,
      };
    }
    const empty = (price: unknown, quantity: unknown) => plain(price) === '0' && plain(quantity) === '0';
    const noBid = empty(item.bid, item.bid_qty);
    const noAsk = empty(item.ask, item.ask_qty);
    return {
      channel: 'quotes',
      exchangeSymbol: digits(item.symbol),
      exchangeTime: time,
      bidPrice: noBid ? null : plain(item.bid),
      bidQuantity: noBid ? null : plain(item.bid_qty),
      askPrice: noAsk ? null : plain(item.ask),
      askQuantity: noAsk ? null : plain(item.ask_qty),
      bidContracts: null,
      askContracts: null,
      updateId: null,
    };
  });
}

function quote(
  name: unknown,
  bids: unknown,
  asks: unknown,
  exchangeTime: number | null,
  updateId: string | null,
  contracts: (name: string) => ContractFacts | undefined,
): ExpectedTick {
  const facts = contracts(digits(name));
  const best = (side: unknown): { price: string | null; size: string | null } => {
    const [level] = side as unknown[][];
    return level === undefined
      ? { price: null, size: null }
      : { price: plain(level[0]), size: plain(level[1]) };
  };
  const bid = best(bids);
  const ask = best(asks);
  return {
    channel: 'quotes',
    exchangeSymbol: digits(name),
    exchangeTime,
    bidPrice: bid.price,
    ...sizes('bidQuantity', 'bidContracts', bid.size, bid.price, facts),
    askPrice: ask.price,
    ...sizes('askQuantity', 'askContracts', ask.size, ask.price, facts),
    updateId,
  };
}

/** The base quantity beside the raw count. */
function sizes(
  quantityName: string,
  contractsName: string,
  size: string | null,
  price: string | null,
  facts: ContractFacts | undefined,
): Record<string, string | null> {
  if (facts === undefined || size === null || price === null) {
    return { [quantityName]: size, [contractsName]: null };
  }
  return { [quantityName]: facts.size === null ? null : inBase(size, price, facts), [contractsName]: size };
}

/** Count × size, or count × size ÷ price half-even at the 18th digit, in fractions of big integers. */
function inBase(size: string, price: string, facts: ContractFacts): string {
  const fraction = (text: string): [bigint, bigint] => {
    const [integer = '', decimals = ''] = text.split('.');
    return [BigInt(integer + decimals), 10n ** BigInt(decimals.length)];
  };
  const [count, countScale] = fraction(size);
  const [value, valueScale] = fraction(facts.size ?? '');
  const [unit, unitScale] = facts.inverse ? fraction(price) : [1n, 1n];
  const numerator = count * value * unitScale * 10n ** 18n;
  const denominator = countScale * valueScale * unit;
  const floor = numerator / denominator;
  const twice = (numerator - floor * denominator) * 2n;
  const up = twice > denominator || (twice === denominator && floor % 2n === 1n);
  return trimmed((up ? floor + 1n : floor).toString().padStart(19, '0'), 18);
}

/** Text of a string or of a bare number; empty when there is none. */
function digits(value: unknown): string {
  if (value instanceof Digits) return value.source;
  return value === undefined || value === null ? '' : String(value);
}

/** Plain text of a number that may have an exponent and trailing zeros. */
function plain(value: unknown): string {
  const match = /^(-?)([0-9]+)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/.exec(digits(value));
  if (match === null) throw new Error(`not a number: ${digits(value)}`);
  const [, sign = '', integer = '', decimals = '', exponent = '0'] = match;
  const scale = decimals.length - Number(exponent);
  const all = integer + decimals;
  return sign + (scale >= 0 ? trimmed(all, scale) : trimmed(all + '0'.repeat(-scale), 0));
}

/** Digits with the point `scale` from the right, without zeros that say nothing. */
function trimmed(all: string, scale: number): string {
  const wide = all.padStart(scale + 1, '0');
  const integer = wide.slice(0, wide.length - scale).replace(/^0+(?=[0-9])/, '');
  const decimals = wide.slice(wide.length - scale).replace(/0+$/, '');
  return decimals === '' ? integer : `${integer}.${decimals}`;
}

function epochMicros(value: unknown): number {
  const text = digits(value);
  return text.length >= 16 ? Number(text) : Number(text) * 1000;
}

function rfc3339Micros(text: string): number {
  const match = /^(.*T\d\d:\d\d:\d\d)(?:\.(\d+))?(.*)$/.exec(text);
  if (match === null) throw new Error(`not a time: ${text}`);
  const [, seconds, fraction = '', zone] = match;
  return Date.parse(`${seconds}${zone}`) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
