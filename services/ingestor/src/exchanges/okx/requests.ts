import type { TickChannel } from '@tickline/schemas';
import type { Topic } from '../exchange.ts';
import type { Instrument } from '../instrument.ts';

/** Native channels: `trades` merges the fills of one taker order, `bbo-tbt` is the best bid and offer. */
const CHANNELS: Readonly<Record<TickChannel, string>> = { trades: 'trades', quotes: 'bbo-tbt' };

/** Both channels are of the `/public` class. */
export function socketUrl(websocketBase: string): string {
  return `${websocketBase.replace(/\/+$/, '')}/ws/v5/public`;
}

/** How we write `{"channel":"trades","instId":"BTC-USDT"}`, which OKX sends back in acknowledgements. */
export function topicName(channel: string, instrumentId: string): string {
  return `${channel}:${instrumentId}`;
}

export function topic(channel: TickChannel, instrument: Instrument): Topic {
  const name = topicName(CHANNELS[channel], instrument.exchangeSymbol);
  return { name, channel, instrument, requestGroup: '', characters: name.length };
}

export function subscribe(topics: readonly Topic[], request: number): string {
  return frame('subscribe', topics, request);
}

export function unsubscribe(topics: readonly Topic[], request: number): string {
  return frame('unsubscribe', topics, request);
}

function frame(op: string, topics: readonly Topic[], request: number): string {
  const args = topics.map(({ channel, instrument }) => ({
    channel: CHANNELS[channel],
    instId: instrument.exchangeSymbol,
  }));
  return JSON.stringify({ id: String(request), op, args });
}
