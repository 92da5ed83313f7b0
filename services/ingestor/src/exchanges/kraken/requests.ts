import type { TickChannel } from '@tickline/schemas';
import type { Topic } from '../exchange.ts';
import type { Instrument } from '../instrument.ts';

/** Native channels of ours. */
export const CHANNELS: Readonly<Record<TickChannel, string>> = { trades: 'trade', quotes: 'ticker' };

export function socketUrl(websocketBase: string): string {
  return `${websocketBase.replace(/\/+$/, '')}/v2`;
}

/** How we write a channel and symbol, which Kraken sends apart. */
export function topicName(channel: string, symbol: string): string {
  return `${channel}:${symbol}`;
}

/** A request takes symbols of one channel: the channel is the request group. */
export function topic(channel: TickChannel, instrument: Instrument): Topic {
  const name = topicName(CHANNELS[channel], instrument.exchangeSymbol);
  return { name, channel, instrument, requestGroup: CHANNELS[channel], characters: name.length };
}

/** Trades without the last 50 as a snapshot, which would be repeats; quotes with theirs, which is the state. */
export function subscribe(topics: readonly Topic[], request: number): string {
  return frame('subscribe', topics, request);
}

export function unsubscribe(topics: readonly Topic[], request: number): string {
  return frame('unsubscribe', topics, request);
}

function frame(method: 'subscribe' | 'unsubscribe', topics: readonly Topic[], request: number): string {
  const channel = topics[0]?.channel ?? 'trades';
  const symbol = topics.map(({ instrument }) => instrument.exchangeSymbol);
  const trigger = channel === 'quotes' ? { event_trigger: 'bbo' } : {};
  const snapshot = method === 'subscribe' ? { snapshot: channel === 'quotes' } : {};
  const params = { channel: CHANNELS[channel], symbol, ...trigger, ...snapshot };
  return JSON.stringify({ method, params, req_id: request });
}
