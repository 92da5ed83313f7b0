import { EXCHANGES, isExchangeName, isTickChannel, TICK_CHANNELS } from '@tickline/schemas';
import { isSymbolPattern, type SubscribeRequest, symbolFits } from '@tickline/schemas/grpc';
import type { DirectoryEntry } from '../sink-context.ts';
import type { Directory } from './directory.ts';
import type { Refusal } from './refusal.ts';

/** Each is tried on every symbol of the configuration. */
const MAX_PATTERNS = 100;
/** Symbols that a refusal names; the others are counted. */
const MAX_NAMED = 100;

/** What a client subscribed to, checked. */
export interface SubscribePlan {
  readonly conflate: boolean;
  readonly lastValueFirst: boolean;
  /** Pairs of symbol and channel that this pod owns of it now. */
  readonly pairs: number;
  /** Whether a stream belongs to it, opened later included. */
  fits(exchange: string, symbol: string, channel: string): boolean;
}

/** Why an exchange's symbols are not known yet, by exchange. */
export type Waiting = readonly { readonly exchange: string; readonly reason: string }[];

/** Checks a request against the directory: a plan, or the reason why not. */
export function planSubscription(
  request: SubscribeRequest,
  directory: Directory,
  waiting: Waiting,
  maxSubscriptions: number,
): SubscribePlan | Refusal {
  const wrong = wrongNames(request);
  if (wrong !== null) return { code: 'INVALID_ARGUMENT', message: wrong };
  const symbols = [...new Set(request.symbols)];
  const channels: readonly string[] = request.channels.length > 0 ? request.channels : TICK_CHANNELS;

  const own = new Set<DirectoryEntry>();
  const elsewhere = new Set<DirectoryEntry>();
  const unknown: string[] = [];
  for (const symbol of symbols) {
    const fitting = directory
      .fitting(symbol, request.exchanges)
      .filter((entry) => entry.channels.some((channel) => channels.includes(channel)));
    if (fitting.length === 0) unknown.push(symbol);
    const ownHere = fitting.filter((entry) => directory.isOwn(entry));
    for (const entry of ownHere) own.add(entry);
    // A pattern takes what is here, unless that is nothing.
    if (isSymbolPattern(symbol) && ownHere.length > 0) continue;
    for (const entry of fitting) if (!directory.isOwn(entry)) elsewhere.add(entry);
  }
  if (unknown.length > 0) return notFound(unknown, request, waiting);
  if (elsewhere.size > 0 && !request.ownedOnly) return ownedElsewhere([...elsewhere], directory);

  const pairs = [...own].reduce(
    (sum, entry) => sum + entry.channels.filter((channel) => channels.includes(channel)).length,
    0,
  );
  if (pairs > maxSubscriptions) {
    return {
      code: 'RESOURCE_EXHAUSTED',
      message: `this would be ${pairs} subscriptions, a call may have ${maxSubscriptions} (grpc.maxSubscriptions): name fewer symbols or channels`,
    };
  }
  return {
    conflate: request.conflate,
    lastValueFirst: request.lastValueFirst,
    pairs,
    fits: filterOf(request.exchanges, symbols, channels),
  };
}

function filterOf(
  exchanges: readonly string[],
  symbols: readonly string[],
  channels: readonly string[],
): SubscribePlan['fits'] {
  const names = new Set(symbols.filter((symbol) => !isSymbolPattern(symbol)));
  const patterns = symbols.filter(isSymbolPattern);
  return (exchange, symbol, channel) =>
    channels.includes(channel) &&
    (exchanges.length === 0 || exchanges.includes(exchange)) &&
    (names.has(symbol) || patterns.some((pattern) => symbolFits(pattern, symbol)));
}

function wrongNames({ exchanges, symbols, channels }: SubscribeRequest): string | null {
  const exchange = exchanges.find((name) => !isExchangeName(name));
  if (exchange !== undefined) {
    return `exchanges holds "${short(exchange)}", which is none of ${EXCHANGES.join(', ')}`;
  }
  const channel = channels.find((name) => !isTickChannel(name));
  if (channel !== undefined) {
    return `channels holds "${short(channel)}", which is none of ${TICK_CHANNELS.join(', ')}`;
  }
  if (symbols.length === 0) return 'symbols is empty: name symbols or patterns, "*" is all';
  const patterns = symbols.filter(isSymbolPattern).length;
  if (patterns > MAX_PATTERNS) return `symbols holds ${patterns} patterns, a call may have ${MAX_PATTERNS}`;
  if (symbols.includes('')) return 'symbols holds an empty text: "*" is all';
  return null;
}

function notFound(unknown: readonly string[], request: SubscribeRequest, waiting: Waiting): Refusal {
  const unread = waiting.find(
    ({ exchange }) => request.exchanges.length === 0 || request.exchanges.includes(exchange),
  );
  if (unread !== undefined) {
    return {
      code: 'UNAVAILABLE',
      message: `the listing of ${unread.exchange} is not read yet (${unread.reason}): ask again`,
    };
  }
  const named = unknown.slice(0, 3).map((symbol) => `"${short(symbol)}"`);
  const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : '';
  const where = request.exchanges.length > 0 ? ` on ${request.exchanges.join(', ')}` : '';
  const channels = request.channels.length > 0 ? ` with ${request.channels.join(', ')}` : '';
  return {
    code: 'NOT_FOUND',
    message: `no symbol of the configuration fits ${named.join(', ')}${more}${where}${channels}: see ListInstruments`,
  };
}

function ownedElsewhere(entries: readonly DirectoryEntry[], directory: Directory): Refusal {
  const symbols = entries.slice(0, MAX_NAMED).map((entry) => ({
    exchange: entry.exchange,
    symbol: entry.symbol,
    owners: directory.owners(entry),
  }));
  const [first] = symbols;
  const owner = first!.owners[0];
  const address =
    owner === undefined
      ? 'no pod'
      : owner.address === ''
        ? `shard ${owner.shard} (its address is not known here: set grpc.peerAddress)`
        : `${owner.address} (shard ${owner.shard})`;
  const more = entries.length > 1 ? `, and ${entries.length - 1} more are owned elsewhere` : '';
  return {
    code: 'FAILED_PRECONDITION',
    message: `${first!.exchange}:${first!.symbol} is owned by ${address}${more}: ask there`,
    detail: { type: 'WrongOwner', value: { symbols } },
  };
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
