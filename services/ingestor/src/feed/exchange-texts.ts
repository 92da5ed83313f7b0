/**
 * Texts of refusals that are no refusals of a topic. Matched loosely: exchanges change their
 * wording, and none gives a code to these.
 */

/** Kraken `Already subscribed`, Bybit `already subscribed,topic:…`: what we wanted is so. */
export function saysAlreadySubscribed(text: string): boolean {
  return /already\s+subscribed/i.test(text);
}

/** Binance `Too many subscriptions` (error code 4, then close 1008): the connection is too full. */
export function saysTooManyTopics(text: string): boolean {
  return /too many (subscriptions|streams|topics|channels)/i.test(text);
}
