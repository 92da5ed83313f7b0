import { beforeEach, describe, expect, it } from 'vitest';
import { DataRhythm } from './data-rhythm.ts';
import { FEED_TIMINGS } from './feed-options.ts';
import { TEST_LIMITS, testExchange, testInstrument } from './scripted-exchange.ts';
import { SilenceWatch } from './silence-watch.ts';
import type { Subscription } from './subscriptions.ts';
import { TopicRequests } from './topic-requests.ts';
import { TopicTable } from './topic-table.ts';

const exchange = testExchange();
const settings = {
  exchange,
  // One message in a second: what is asked for together is sent apart.
  limits: { ...TEST_LIMITS, messagesPerSecond: 1, messageBurst: 1 },
  timings: FEED_TIMINGS,
  random: () => 0.5,
};

let table: TopicTable;
let silence: SilenceWatch;
let requests: TopicRequests;
let sent: string[];

function subscription(slot: number): Subscription {
  const instrument = testInstrument(slot);
  return {
    channel: 'trades',
    instrument,
    topic: exchange.topic('trades', instrument),
    rhythm: new DataRhythm(),
    state: 'live',
    since: 0,
    reason: '',
    lost: false,
  };
}

/** What was sent since the last look. */
function newlySent(): string[] {
  return sent.splice(0);
}

beforeEach(() => {
  sent = [];
  table = new TopicTable([subscription(0)], 0);
  silence = new SilenceWatch({ ...settings, dataSilenceMs: { trades: 1000, quotes: 1000 } }, table);
  const none = () => undefined;
  requests = new TopicRequests(
    settings,
    table,
    {
      send: (text) => sent.push((JSON.parse(text) as { op: string }).op),
      confirmed: none,
      rejected: none,
      unanswered: none,
      tooManyTopics: none,
      unmatched: none,
    },
    0,
  );
  requests.subscribeAll(0);
  requests.work(0, true);
  requests.acknowledged(1, null, 'subscribe', 0);
  silence.firstData(0, 0);
  expect(newlySent()).toEqual(['subscribe']);
  // Silent: to be unsubscribed and subscribed again.
  expect(silence.suspect(0, 5_000)).toBe(true);
});

describe('a silent topic that is subscribed again', () => {
  it('is subscribed again although a tick came after the unsubscription was sent', () => {
    requests.resubscribe([0], 5_000);
    requests.work(5_000, true);
    expect(newlySent()).toEqual(['unsubscribe']);
    silence.firstData(0, 5_100);
    requests.work(10_000, true);
    expect(newlySent()).toEqual(['subscribe']);
  });

  it('is not unsubscribed when a tick came before that was sent', () => {
    requests.spend(5_000);
    requests.resubscribe([0], 5_000);
    requests.work(5_000, true);
    silence.firstData(0, 5_100);
    requests.work(10_000, true);
    requests.work(20_000, true);
    expect(newlySent()).toEqual([]);
  });

  it('is asked for until that is answered, whatever came after the unsubscription', () => {
    requests.resubscribe([0], 5_000);
    requests.work(5_000, true);
    silence.firstData(0, 5_100);
    requests.work(10_000, true);
    expect(newlySent()).toEqual(['unsubscribe', 'subscribe']);
    requests.work(10_001 + FEED_TIMINGS.ackTimeoutMs, true);
    requests.work(15_000 + FEED_TIMINGS.ackTimeoutMs, true);
    expect(newlySent()).toEqual(['subscribe']);
    requests.acknowledged(4, null, 'subscribe', 26_000);
    requests.work(60_000, true);
    expect(newlySent()).toEqual([]);
  });
});

describe('a rejected topic', () => {
  const refused = (now: number, request: number) =>
    requests.refused(
      { kind: 'rejected', request, topics: ['trades/0'], scope: 'topics', code: null, reason: 'halted' },
      now,
    );

  it('is asked for again now and then until it is taken, however often a refusal is told', () => {
    let now = 6_000;
    let request = 1;
    for (let attempt = 0; attempt < 3; attempt++) {
      refused(now, request);
      refused(now + 1, request);
      const due = requests.due(now, true);
      expect(due).toBeGreaterThanOrEqual(now + FEED_TIMINGS.rejectedAgain.firstMs / 2);
      requests.work(due - 1, true);
      expect(newlySent()).toEqual([]);
      requests.work(due, true);
      expect(newlySent()).toEqual(['subscribe']);
      now = due;
      request++;
    }
    requests.acknowledged(request, ['trades/0'], 'subscribe', now);
    requests.work(now + 10 * FEED_TIMINGS.rejectedAgain.maxMs, true);
    expect(newlySent()).toEqual([]);
    expect(requests.due(now, true)).toBe(Infinity);
  });

  it('is not asked for when data came of it all the same', () => {
    refused(6_000, 1);
    silence.firstData(0, 7_000);
    requests.work(requests.due(7_000, true), true);
    expect(newlySent()).toEqual([]);
  });
});
