import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { Fault } from '../exchanges/faults.ts';
import { exchangeNames } from '../exchanges/simulator.ts';
import { countIn, type Simulators, startExchanges, violations } from '../support/four-exchanges.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import { scrape } from '../support/scrape.ts';
import { readRecords } from '../support/topic-records.ts';

let stack: Stack;
let simulators: Simulators;
let pod: Pod | undefined;

beforeAll(async () => {
  [stack, simulators] = await Promise.all([
    startStack(),
    startExchanges({ symbols: 6, rate: 200, tradeShare: 0.5 }),
  ]);
});

afterEach(async () => {
  pod?.process.kill();
  await pod?.process.ended;
  for (const simulator of Object.values(simulators)) simulator.fault({ kind: 'clear' });
});

afterAll(async () => {
  await Promise.all(Object.values(simulators ?? {}).map((simulator) => simulator.close()));
  await stack?.stop();
});

/** The canonical names of some listed symbols, and others besides. */
function symbols(listed: number, ...more: string[]): Record<string, string[]> {
  return Object.fromEntries(
    Object.values(simulators).map(({ exchange, instruments }) => [
      exchange,
      [
        ...instruments
          .filter(({ trading }) => trading)
          .slice(0, listed)
          .map(({ base, quote }) => `${base}-${quote}`),
        ...more,
      ],
    ]),
  );
}

async function begin(options: Omit<PodOptions, 'stack' | 'simulators'>): Promise<Pod> {
  const all: PodOptions = {
    stack,
    simulators: Object.values(simulators),
    ...options,
    flags: ['--topics.partitions=3', ...(options.flags ?? [])],
  };
  await provision(all);
  pod = await startPod(all);
  return pod;
}

async function refusal(running: Pod): Promise<{ code: number | null; error: string }> {
  const { code } = await running.process.ended;
  const failed = running.log().find(({ event }) => event === 'failed');
  return { code, error: String(failed?.error) };
}

describe('a symbol that no exchange lists', () => {
  it('is rejected by name, and the rest runs', async () => {
    const prefix = 'unlisted.';
    const running = await begin({ prefix, symbols: symbols(2, 'NOSUCH-COIN') });
    const status = await running.until('the rest is live', (now) =>
      exchangeNames.every((exchange) => countIn(now, exchange, 'live') === 4),
    );
    expect(status.ready).toBe(true);
    expect(
      status.notLive.map(({ exchange, connection, channel, symbol, state, reason }) => ({
        exchange,
        connection,
        channel,
        symbol,
        state,
        reason,
      })),
    ).toEqual(
      exchangeNames.flatMap((exchange) =>
        ['trades', 'quotes'].map((channel) => ({
          exchange,
          connection: null,
          channel,
          symbol: 'NOSUCH-COIN',
          state: 'rejected',
          reason: `${exchange} does not list it`,
        })),
      ),
    );
    const metric = await scrape(running);
    for (const exchange of exchangeNames) {
      expect(metric('tickline_subscriptions', { exchange, state: 'rejected' }), exchange).toBe(2);
      expect(metric('tickline_subscriptions', { exchange, state: 'live' }), exchange).toBe(4);
      expect(metric('ws_subscription_count', { exchange })).toBe(4);
    }
    expect(await running.stop()).toBe(0);
    const rejected = (await readRecords(stack, 'status', prefix)).filter(({ state }) => state === 'rejected');
    expect(
      rejected
        .map(({ exchange, symbol, exchangeSymbol, channel }) =>
          [exchange, symbol, exchangeSymbol, channel].join(' '),
        )
        .toSorted(),
    ).toEqual(
      exchangeNames
        .flatMap((exchange) => [`${exchange} NOSUCH-COIN  quotes`, `${exchange} NOSUCH-COIN  trades`])
        .toSorted(),
    );
    // Nobody was asked for it.
    for (const simulator of Object.values(simulators)) expect(simulator.stats().refusedSymbols).toEqual([]);
  });

  it('with `strict` is a reason not to start', async () => {
    const running = await begin({
      prefix: 'strict.',
      symbols: { ...symbols(2), okx: ['BTC-USDT', 'NOSUCH-COIN'] },
      flags: ['--strict=true'],
    });
    expect(await refusal(running)).toEqual({
      code: 2,
      error: expect.stringContaining('strict is set and the exchanges do not list okx:NOSUCH-COIN'),
    });
  });

  it('is a reason not to start when there is no other', async () => {
    const running = await begin({ prefix: 'nothing.', symbols: symbols(0, 'NOSUCH-COIN') });
    expect(await refusal(running)).toEqual({
      code: 2,
      error: expect.stringContaining(
        `nothing is left to run: the exchanges list none of ${exchangeNames.map((exchange) => `${exchange}:NOSUCH-COIN`).join(', ')}`,
      ),
    });
  });
});

describe('an exchange that does not give its listing', () => {
  /** Kraken lists on its socket. */
  const silent: Readonly<Record<string, readonly [Fault, RegExp]>> = {
    binance: [{ kind: 'rest', how: 'hang' }, /did not answer within 500 ms/],
    'bybit-spot': [{ kind: 'rest', how: 503 }, /HTTP 503/],
    okx: [{ kind: 'rest', how: 'reset' }, /could not be reached|ECONNRESET/],
    kraken: [{ kind: 'refuse', how: 503 }, /503/],
  };

  it.each(exchangeNames)(
    '%s is asked again, keeps nobody else waiting, and runs when it answers',
    async (exchange) => {
      const [fault, why] = silent[exchange]!;
      const others = exchangeNames.filter((each) => each !== exchange);
      simulators[exchange].fault(fault);
      const running = await begin({
        prefix: `${exchange}.`,
        symbols: symbols(2),
        flags: [`--exchanges.${exchange}.listingTimeoutMs=500`],
      });
      const waiting = await running.until(
        'the others are live',
        (now) =>
          others.every((each) => countIn(now, each, 'live') === 4) &&
          running.log().filter(({ event }) => event === 'listing-failed').length >= 2,
      );
      expect(waiting.ready).toBe(false);
      expect(waiting.notReady).toBe(`subscriptions of ${exchange} are not settled`);
      const told = waiting.exchanges.find((each) => each.exchange === exchange)!;
      expect(told.waitingFor).toMatch(/^the listing: /);
      expect(told.waitingFor).toMatch(why);
      // Not taken for absence: nothing is rejected.
      expect(waiting.notLive).toEqual([]);
      simulators[exchange].fault({ kind: 'clear' });
      const live = await running.until('all are live', (now) =>
        exchangeNames.every((each) => countIn(now, each, 'live') === 4),
      );
      expect(live).toMatchObject({ ready: true, notReady: null, notLive: [] });
      expect(live.exchanges.map(({ waitingFor }) => waitingFor)).toEqual([null, null, null, null]);
      expect(await running.stop()).toBe(0);
      const states = (await readRecords(stack, 'status', `${exchange}.`)).map(({ state }) => state);
      expect(new Set(states)).toEqual(new Set(['acknowledged', 'live']));
      expect(violations(simulators)).toEqual([]);
    },
  );
});
