/** Exchanges by the value of the `exchange` field, label and configuration key. */
export const EXCHANGES = ['binance', 'bybit-spot', 'okx', 'kraken'] as const;
export type ExchangeName = (typeof EXCHANGES)[number];

/** Channels that carry ticks. Further channels join here and in `avro/`. */
export const TICK_CHANNELS = ['trades', 'quotes'] as const;
export type TickChannel = (typeof TICK_CHANNELS)[number];

export function isExchangeName(text: string): text is ExchangeName {
  return (EXCHANGES as readonly string[]).includes(text);
}

export function isTickChannel(text: string): text is TickChannel {
  return (TICK_CHANNELS as readonly string[]).includes(text);
}
