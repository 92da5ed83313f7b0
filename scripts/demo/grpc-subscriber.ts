import { MarketDataClient, type TickEvent } from '@tickline/schemas/grpc';
import { waitUntil } from '../stack/wait-until.ts';
import { nowMicros } from './now-micros.ts';
import type { Subscriber, SubscriberContext } from './subscriber.ts';
import { stampOf } from './tick-identity.ts';

const READY_MS = 30_000;

/**
 * Subscribes to everything at all pods, from the last value of each stream on, by the client of `schemas`. The
 * pods need not answer yet.
 */
export function subscribeGrpc(
  addresses: readonly string[],
  { listener, log }: SubscriberContext,
): Subscriber {
  // Often: a listing that comes late may bring another pod's first symbol.
  const client = new MarketDataClient({
    addresses,
    backoffMs: { first: 100, longest: 1_000 },
    refreshMs: 2_000,
  });
  const subscription = client.subscribe({ symbols: ['*'], lastValueFirst: true });
  const live = new Set<string>();
  let isStopped = false;

  const take = (event: TickEvent): void => {
    switch (event.kind) {
      case 'trade':
      case 'quote': {
        const { channel, record } = event;
        listener.tick(channel, stampOf(channel, record), nowMicros(), record);
        break;
      }
      case 'status':
        listener.status(event.record);
        break;
      case 'connection': {
        const { address, state, reason } = event;
        if (state === 'live') live.add(address);
        else live.delete(address);
        log(`gRPC ${address}: ${state}${reason === '' ? '' : `, ${reason}`}`);
        break;
      }
      case 'gap': {
        const { exchange, symbol, channel, firstSequence, lastSequence } = event;
        log(`gRPC gap: ${exchange} ${symbol} ${channel}, ${firstSequence} to ${lastSequence}`);
        break;
      }
    }
  };
  const read = (async () => {
    try {
      for await (const events of subscription.batches()) for (const event of events) take(event);
    } catch (error) {
      if (!isStopped) listener.failed(error as Error);
    }
  })();

  return {
    async ready(signal) {
      await waitUntil(async () => (live.size === addresses.length ? true : undefined), {
        what: `the gRPC subscription to stand at ${addresses.length} pods`,
        timeoutMs: READY_MS,
        everyMs: 20,
        signal,
      });
    },
    async reachEnd(timeoutMs) {
      // That a connection is lost is told behind all that came over it.
      await waitUntil(async () => (live.size === 0 ? true : undefined), {
        what: 'the gRPC streams to end',
        timeoutMs,
        everyMs: 20,
      });
    },
    async stop() {
      isStopped = true;
      client.close();
      await read;
    },
  };
}
