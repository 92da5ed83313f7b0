import { topicName } from '@tickline/schemas';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { Fault } from '../exchanges/faults.ts';
import { exchangeNames, type Simulator } from '../exchanges/simulator.ts';
import { againstLedger } from '../support/against-ledger.ts';
import { eventually } from '../support/eventually.ts';
import { countIn, type Simulators, startExchanges, violations } from '../support/four-exchanges.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import { scrape } from '../support/scrape.ts';
import { readTopic, type TopicMessage } from '../support/topic-records.ts';
import { of, readBack, written } from '../support/topics-read.ts';

/** 8 symbols on 2 channels, on one connection. */
const SUBSCRIPTIONS = 16;
/** Of each kind, for each exchange. */
const FRAMES = 5;

interface Kind {
  readonly name: string;
  readonly fault: Fault;
  readonly reason: string;
  /** What the raw frame must look like, besides being what the dead letter holds. */
  readonly looks: (text: string) => boolean;
}

const kinds: readonly Kind[] = [
  {
    name: 'not JSON',
    fault: { kind: 'corrupt', how: 'not-json', frames: FRAMES },
    reason: 'not-json',
    looks: (text) => text === '<html>502 Bad Gateway</html>',
  },
  {
    name: 'truncated',
    fault: { kind: 'corrupt', how: 'truncated', frames: FRAMES },
    reason: 'not-json',
    looks: (text) => text.startsWith('{') && !text.endsWith('}'),
  },
  {
    name: 'an invalid price',
    fault: { kind: 'corrupt', how: 'invalid-price', frames: FRAMES },
    reason: 'invalid-price',
    looks: isJson,
  },
  {
    name: 'a price of the wrong type',
    fault: { kind: 'corrupt', how: 'wrong-type', frames: FRAMES },
    reason: 'invalid-field',
    looks: (text) => isJson(text) && /:true|\[true/.test(text),
  },
  {
    name: 'an unknown type',
    fault: { kind: 'unknown', what: 'event', frames: FRAMES },
    reason: 'unknown-type',
    looks: (text) => isJson(text) && text.includes('mystery'),
  },
  {
    name: 'a symbol that nobody asked for',
    fault: { kind: 'unknown', what: 'symbol', frames: FRAMES },
    reason: 'unknown-symbol',
    looks: (text) => isJson(text) && text.includes('UNINVITED'),
  },
];

let stack: Stack;
let simulators: Simulators | undefined;
let pod: Pod | undefined;

beforeAll(async () => {
  stack = await startStack();
});

afterEach(async () => {
  pod?.process.kill();
  await Promise.all(Object.values(simulators ?? {}).map((simulator) => simulator.close()));
});

afterAll(async () => {
  await stack?.stop();
});

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}

async function underLoad(prefix: string, flags: readonly string[]): Promise<[Simulators, Pod]> {
  simulators = await startExchanges({ symbols: 8, rate: 400, tradeShare: 0.5 });
  const options: PodOptions = {
    stack,
    simulators: Object.values(simulators),
    prefix,
    flags: ['--topics.partitions=3', ...flags],
  };
  await provision(options);
  const running = await startPod(options);
  pod = running;
  for (const exchange of exchangeNames) {
    await running.until(
      `${exchange} is live`,
      (status) => countIn(status, exchange, 'live') === SUBSCRIPTIONS,
    );
  }
  return [simulators, running];
}

async function counted(running: Pod, count: number): Promise<void> {
  await running.until(`${count} invalid frames of each exchange are counted`, ({ exchanges }) =>
    exchanges.every(({ invalid }) => invalid >= count),
  );
}

/** Trades beside the bad one in a frame of several: they were delivered, and once more by the frame itself. */
function besideTheBadOne(letters: readonly TopicMessage[]): string[] {
  return letters.flatMap(({ value, headers }) => {
    if (headers.reason !== 'invalid-price' && headers.reason !== 'invalid-field') return [];
    const { data } = JSON.parse(value.toString()) as { data: unknown };
    if (!Array.isArray(data)) return [];
    const trades = data as { i?: string; s?: string; symbol?: string; trade_id?: number }[];
    return trades
      .slice(1)
      .filter(({ i, trade_id: id }) => i !== undefined || id !== undefined)
      .map((trade) => `${trade.s ?? trade.symbol} ${trade.i ?? trade.trade_id}`);
  });
}

function lettersOf(letters: readonly TopicMessage[], simulator: Simulator): TopicMessage[] {
  return letters.filter(({ key }) => key === simulator.exchange);
}

describe('frames that are not understood', () => {
  it('are counted and kept with the reason, one by one, and nothing else is lost', async () => {
    const prefix = 'bad.';
    const [exchanges, running] = await underLoad(prefix, ['--invalidPerSecond=1000']);
    for (const [at, { fault }] of kinds.entries()) {
      for (const simulator of Object.values(exchanges)) simulator.fault(fault);
      await counted(running, FRAMES * (at + 1));
    }
    const metric = await scrape(running);
    const status = await running.status();
    for (const exchange of exchangeNames) {
      for (const reason of new Set(kinds.map((kind) => kind.reason))) {
        const expected = FRAMES * kinds.filter((kind) => kind.reason === reason).length;
        expect(metric('tickline_invalid_frames_total', { exchange, reason }), `${exchange} ${reason}`).toBe(
          expected,
        );
      }
      expect(metric('tickline_invalid_frames_total', { exchange })).toBe(FRAMES * kinds.length);
      expect(countIn(status, exchange, 'live')).toBe(SUBSCRIPTIONS);
    }
    expect(metric('tickline_sink_dead_letters_dropped_total')).toBe(0);
    expect(metric('ws_reconnects_total')).toBe(0);
    // The flow goes on after the last of them.
    const before = Object.values(exchanges).map((simulator) => simulator.stats().frames);
    await eventually('data flows on', () =>
      Object.values(exchanges).every((simulator, at) => simulator.stats().frames > before[at]! + 200),
    );
    for (const simulator of Object.values(exchanges)) simulator.stopMarket();
    expect(await running.stop()).toBe(0);
    expect(violations(exchanges)).toEqual([]);

    const letters = await readTopic(stack, topicName(prefix, 'invalid'));
    expect(letters).toHaveLength(exchangeNames.length * FRAMES * kinds.length);
    const read = await readBack(stack, prefix);
    for (const simulator of Object.values(exchanges)) {
      const own = lettersOf(letters, simulator).toSorted((a, b) => Number(a.offset - b.offset));
      const session = status.connections.find(({ exchange }) => exchange === simulator.exchange)!.session;
      for (const [at, { name, reason, looks }] of kinds.entries()) {
        for (const { value, headers } of own.slice(FRAMES * at, FRAMES * (at + 1))) {
          expect(headers, `${simulator.exchange}: ${name}`).toEqual({
            reason,
            stage: 'decode',
            detail: expect.stringMatching(/./),
            session,
          });
          expect(looks(value.toString()), `${simulator.exchange}: ${name}: ${value}`).toBe(true);
        }
      }
      const trades = againstLedger(written(simulator, 'trades'), of(read.trades, simulator));
      const repeated = besideTheBadOne(own).toSorted();
      expect(trades).toMatchObject({ missing: [], unknown: [], differing: [] });
      expect(trades.duplicates.toSorted()).toEqual(repeated);
      if (repeated.length === 0) expect(trades.outOfOrder).toEqual([]);
      const quotes = againstLedger(written(simulator, 'quotes'), of(read.quotes, simulator));
      expect(quotes).toMatchObject({
        missing: [],
        unknown: [],
        differing: [],
        duplicates: [],
        outOfOrder: [],
      });
    }
  });

  it('are all counted when there are too many to keep', async () => {
    const prefix = 'many.';
    const [exchanges, running] = await underLoad(prefix, ['--invalidPerSecond=5']);
    const many = 400;
    const started = performance.now();
    for (const simulator of Object.values(exchanges)) {
      simulator.fault({ kind: 'unknown', what: 'event', frames: many });
    }
    await counted(running, many);
    const seconds = (performance.now() - started) / 1000;
    const metric = await scrape(running);
    for (const exchange of exchangeNames) {
      expect(metric('tickline_invalid_frames_total', { exchange, reason: 'unknown-type' })).toBe(many);
    }
    for (const simulator of Object.values(exchanges)) simulator.stopMarket();
    expect(await running.stop()).toBe(0);
    const letters = await readTopic(stack, topicName(prefix, 'invalid'));
    for (const simulator of Object.values(exchanges)) {
      const own = lettersOf(letters, simulator);
      // What a second may hold at once, and what came after it.
      expect(own.length).toBeGreaterThanOrEqual(5);
      expect(own.length).toBeLessThanOrEqual(5 + 5 * seconds);
    }
    expect(metric('tickline_sink_dead_letters_dropped_total')).toBe(
      exchangeNames.length * many - letters.length,
    );
    const read = await readBack(stack, prefix);
    for (const simulator of Object.values(exchanges)) {
      for (const comparison of [
        againstLedger(written(simulator, 'trades'), of(read.trades, simulator)),
        againstLedger(written(simulator, 'quotes'), of(read.quotes, simulator)),
      ]) {
        expect(comparison).toMatchObject({ missing: [], duplicates: [], unknown: [], outOfOrder: [] });
      }
    }
  });
});
