import type { TickChannel } from '@tickline/schemas';
import type { Topic } from '../exchange.ts';
import type { Instrument } from '../instrument.ts';

const STREAMS: Readonly<Record<TickChannel, string>> = { trades: 'trade', quotes: 'bookTicker' };

/** All streams of one socket; `/stream` wraps each frame with its stream's name. */
export function socketUrl(websocketBase: string): string {
  return `${websocketBase.replace(/\/+$/, '')}/stream`;
}

/** `btcusdt@trade`: stream names are lower case, names in payloads upper case. */
export function topic(channel: TickChannel, instrument: Instrument): Topic {
  const name = `${instrument.exchangeSymbol.toLowerCase()}@${STREAMS[channel]}`;
  return { name, channel, instrument, requestGroup: '', characters: name.length };
}

export function subscribe(topics: readonly Topic[], request: number): string {
  return frame('SUBSCRIBE', topics, request);
}

export function unsubscribe(topics: readonly Topic[], request: number): string {
  return frame('UNSUBSCRIBE', topics, request);
}

function frame(method: string, topics: readonly Topic[], request: number): string {
  return JSON.stringify({ method, params: topics.map(({ name }) => name), id: request });
}
