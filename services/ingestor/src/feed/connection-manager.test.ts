import type { SubscriptionState, TickChannel } from '@tickline/schemas';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Exchange, FeedLimits } from '../exchanges/exchange.ts';
import type { Feed, FeedListener, FeedOptions, FeedSession, SubscriptionChange } from './feed.ts';
import { createFeed, FeedOptionsError } from './feed.ts';
import type { FeedLogFields, FeedTimings } from './feed-options.ts';
import type { Peer, TestFrame, TestRequest } from './scripted-exchange.ts';
import { ScriptedExchange, TEST_LIMITS, testExchange, testInstrument } from './scripted-exchange.ts';

/** Fast enough for tests; what must not happen in a test is left at its default. */
const FAST: Partial<FeedTimings> = {
  backoff: { firstMs: 10, maxMs: 40 },
  askAgain: { firstMs: 20, maxMs: 40 },
  retryEveryMs: 5,
  throttlePauseMs: 30,
  handoverSettleMs: 50,
  drainMs: 500,
  policyPauseMs: 20,
};

interface Setup {
  readonly topics?: number;
  readonly channels?: readonly TickChannel[];
  readonly limits?: Partial<FeedLimits>;
  readonly timings?: Partial<FeedTimings>;
  readonly exchange?: Exchange;
  readonly options?: Partial<FeedOptions>;
}

interface Seen {
  readonly changes: SubscriptionChange[];
  readonly handovers: { phase: 'begin' | 'end'; from: FeedSession; to: FeedSession }[];
  readonly frames: { session: FeedSession; frame: TestFrame }[];
  readonly logs: { event: string; fields: FeedLogFields }[];
  onFrame: ((frame: TestFrame) => void) | null;
}

describe('createFeed', () => {
  let server: ScriptedExchange;
  const feeds: Feed[] = [];

  beforeEach(async () => {
    server = new ScriptedExchange();
    await server.listen();
  });
  afterEach(async () => {
    await Promise.all(feeds.splice(0).map((feed) => feed.stop(0)));
    await server.close();
  });

  function feedOf(setup: Setup = {}): { feed: Feed; seen: Seen } {
    const { topics = 3, channels = ['trades'], exchange = testExchange() } = setup;
    const seen: Seen = { changes: [], handovers: [], frames: [], logs: [], onFrame: null };
    const listener: FeedListener = {
      frame(session, chunk, start, end) {
        const bytes = chunk.subarray(start, end);
        const frame = JSON.parse(Buffer.from(bytes).toString('utf8')) as TestFrame;
        seen.frames.push({ session, frame });
        seen.onFrame?.(frame);
        if ('control' in frame) session.control(frame.control);
        else session.data(...frame.tick);
      },
      subscription: (change) => seen.changes.push(change),
      handover: (phase, from, to) => seen.handovers.push({ phase, from, to }),
    };
    const log = (event: string, _message: string, fields: FeedLogFields = {}) => {
      seen.logs.push({ event, fields });
    };
    const feed = createFeed({
      exchange,
      endpoints: { websocket: server.address, rest: 'http://127.0.0.1:9' },
      limits: { ...TEST_LIMITS, ...setup.limits },
      heartbeat: { timeoutMs: 60_000, checkEveryMs: 60_000 },
      timings: { ...FAST, ...setup.timings },
      subscriptions: channels.flatMap((channel) =>
        Array.from({ length: topics }, (_, slot) => ({ channel, instrument: testInstrument(slot) })),
      ),
      permessageDeflate: false,
      listener,
      logger: { info: log, warn: log, error: log, admits: () => true },
      sharedBy: 1,
      ...setup.options,
    });
    feeds.push(feed);
    return { feed, seen };
  }

  const until = (condition: () => void) => vi.waitFor(condition, { timeout: 8000, interval: 5 });

  const statesOf = (feed: Feed) => {
    const sum: Partial<Record<SubscriptionState, number>> = {};
    for (const { subscriptions } of feed.connections()) {
      for (const [state, count] of Object.entries(subscriptions) as [SubscriptionState, number][]) {
        if (count > 0) sum[state] = (sum[state] ?? 0) + count;
      }
    }
    return sum;
  };

  const untilLive = (feed: Feed, count: number) =>
    until(() => expect(statesOf(feed)).toEqual({ live: count }));

  const reasonsOf = (feed: Feed) => feed.connections().flatMap(({ reconnects }) => Object.keys(reconnects));

  describe('filling connections', () => {
    it('opens as many as the topics need, and sends requests within their limits', async () => {
      const { feed, seen } = feedOf({
        topics: 5,
        channels: ['trades', 'quotes'],
        limits: { topicsPerConnection: 4, topicsPerRequest: 3 },
      });
      expect(feed.settled()).toBe(false);
      feed.start();
      await untilLive(feed, 10);
      expect(feed.settled()).toBe(true);
      expect([feed.activeConnections(), feed.subscriptionCount(), feed.reconnects()]).toEqual([3, 10, 0]);
      expect(feed.notLive()).toEqual([]);
      expect(server.peers.map((peer) => peer.requests.map(({ topics }) => topics.length))).toEqual([
        [3, 1],
        [3, 1],
        [2],
      ]);
      expect(new Set(server.peers.flatMap((peer) => peer.asked('subscribe'))).size).toBe(10);
      expect(feed.connections().map(({ connection, state }) => [connection, state])).toEqual([
        ['binance-0', 'open'],
        ['binance-1', 'open'],
        ['binance-2', 'open'],
      ]);
      const changes = seen.changes.filter(
        ({ instrument, channel }) => instrument.slot === 0 && channel === 'trades',
      );
      expect(changes.map(({ from, to, reconnected }) => [from, to, reconnected])).toEqual([
        [null, 'requested', false],
        ['requested', 'acknowledged', false],
        ['acknowledged', 'live', false],
      ]);
      const { id, ordinal, connection } = seen.frames[0]!.session;
      expect(id).toMatch(/^[0-9a-z]{12}$/);
      expect(connection).toBe('binance-0');
      expect(ordinal).toBeGreaterThan(0);
    });

    it('counts characters of topics', async () => {
      const { feed } = feedOf({ topics: 4, limits: { topicCharactersPerConnection: 16 } });
      feed.start();
      await untilLive(feed, 4);
      expect(feed.activeConnections()).toBe(2);
    });

    it('keeps the budget for messages and says nothing twice', async () => {
      const { feed } = feedOf({
        topics: 6,
        limits: { topicsPerRequest: 1, messagesPerSecond: 100, messageBurst: 2 },
      });
      feed.start();
      await untilLive(feed, 6);
      expect(server.last.asked('subscribe')).toHaveLength(6);
    });

    it('refuses what cannot be kept', () => {
      const connections = () => feedOf({ topics: 3, limits: { topicsPerConnection: 1, connections: 2 } });
      expect(connections).toThrow(FeedOptionsError);
      expect(connections).toThrow(/3 topics need 3 connections, allowed are 2 .*limits\.topicsPerConnection/);
      const instrument = testInstrument(0);
      const twice = { channel: 'trades', instrument } as const;
      expect(() => feedOf({ options: { subscriptions: [twice, twice] } })).toThrow(
        /trades\/0 is subscribed twice/,
      );
      expect(() => feedOf({ options: { endpoints: { websocket: 'http://h', rest: '' } } })).toThrow(
        /endpoints\.websocket/,
      );
    });
  });

  describe('answers', () => {
    const acknowledgeNot = (_peer: Peer, _request: TestRequest) => undefined;

    it('data alone confirms', async () => {
      server.onRequest = (peer, request) => peer.ticks(request.topics);
      const { feed, seen } = feedOf();
      feed.start();
      await untilLive(feed, 3);
      expect(seen.changes.map(({ to }) => to)).not.toContain('acknowledged');
    });

    it('named acknowledgements confirm only what they name', async () => {
      server.onRequest = (peer) => peer.control({ kind: 'ack', request: null, topics: ['trades/1'] });
      const { feed } = feedOf();
      feed.start();
      await until(() => expect(statesOf(feed)).toEqual({ requested: 2, acknowledged: 1 }));
      expect(feed.notLive().map(({ symbol, state }) => [symbol, state])).toEqual([
        ['S0-USDT', 'requested'],
        ['S1-USDT', 'acknowledged'],
        ['S2-USDT', 'requested'],
      ]);
    });

    it('without ids the oldest request is meant', async () => {
      server.onRequest = (peer, { id }) => {
        if (id === 3)
          for (let at = 0; at < 2; at++) peer.control({ kind: 'ack', request: null, topics: null });
      };
      const { feed } = feedOf({ limits: { topicsPerRequest: 1 } });
      feed.start();
      await until(() => expect(statesOf(feed)).toEqual({ acknowledged: 2, requested: 1 }));
      expect(feed.notLive().find(({ state }) => state === 'requested')?.symbol).toBe('S2-USDT');
    });

    it('a lost acknowledgement: asked once more', async () => {
      server.onRequest = (peer, request) => {
        if (request.id > 1) peer.answer(request);
      };
      const { feed } = feedOf({ timings: { ackTimeoutMs: 30 } });
      feed.start();
      await untilLive(feed, 3);
      expect(server.last.requests.map(({ topics }) => topics.length)).toEqual([3, 3]);
      expect(feed.reconnects()).toBe(0);
    });

    it('twice unanswered: told, and asked again with backoff until answered', async () => {
      server.onRequest = acknowledgeNot;
      const { feed, seen } = feedOf({ timings: { ackTimeoutMs: 20 } });
      feed.start();
      await until(() => expect(server.last.requests.length).toBeGreaterThanOrEqual(4));
      const logged = seen.logs.find(({ event }) => event === 'subscriptions-unacknowledged');
      expect(logged?.fields.data).toEqual({ topics: 3, names: 'trades/0 trades/1 trades/2' });
      expect(feed.notLive()[0]!.reason).toMatch(/no acknowledgement/);
      expect(feed.settled()).toBe(false);
      server.onRequest = (peer, request) => peer.answer(request);
      await untilLive(feed, 3);
    });

    it('a named rejection is told with the text of the exchange and keeps nobody waiting', async () => {
      server.onRequest = (peer, request) => {
        const topics = ['trades/1'];
        peer.control({ kind: 'ack', request: request.id, topics: ['trades/0', 'trades/2'] });
        const reason = "doesn't exist";
        peer.control({
          kind: 'rejected',
          request: request.id,
          topics,
          scope: 'topics',
          code: '60018',
          reason,
        });
        peer.ticks(['trades/0', 'trades/2']);
      };
      const { feed, seen } = feedOf();
      feed.start();
      await until(() => expect(statesOf(feed)).toEqual({ live: 2, rejected: 1 }));
      expect(feed.settled()).toBe(true);
      expect(seen.changes.find(({ to }) => to === 'rejected')).toMatchObject({
        reason: "60018: doesn't exist",
        instrument: { symbol: 'S1-USDT' },
      });
      expect(server.last.requests).toHaveLength(1);
    });

    it('a rejection that names topics of another request too touches only those of its own', async () => {
      server.onRequest = (peer, request) => {
        if (!request.topics.includes('trades/2')) return peer.answer(request);
        return peer.control({
          kind: 'rejected',
          request: request.id,
          topics: ['trades/0', 'trades/2'],
          scope: 'topics',
          code: null,
          reason: 'no',
        });
      };
      const { feed } = feedOf({ limits: { topicsPerRequest: 1 } });
      feed.start();
      await until(() => expect(statesOf(feed)).toEqual({ live: 2, rejected: 1 }));
      expect(feed.notLive()).toMatchObject([{ symbol: 'S2-USDT', state: 'rejected' }]);
    });

    it('a request refused for one named topic: the others are asked for again', async () => {
      server.onRequest = (peer, request) => {
        if (!request.topics.includes('trades/1')) return peer.answer(request);
        const topics = ['trades/1'];
        return peer.control({
          kind: 'rejected',
          request: request.id,
          topics,
          scope: 'request',
          code: null,
          reason: 'no',
        });
      };
      const { feed } = feedOf();
      feed.start();
      await until(() => expect(statesOf(feed)).toEqual({ live: 2, rejected: 1 }));
      expect(server.last.requests.map(({ topics }) => topics)).toEqual([
        ['trades/0', 'trades/1', 'trades/2'],
        ['trades/0', 'trades/2'],
      ]);
    });

    it('a culprit that is not named is found by halves', async () => {
      server.onRequest = (peer, request) => {
        if (!request.topics.includes('trades/5')) return peer.answer(request);
        return peer.control({
          kind: 'rejected',
          request: request.id,
          topics: null,
          scope: 'request',
          code: '2',
          reason: 'bad',
        });
      };
      const { feed } = feedOf({ topics: 9 });
      feed.start();
      await until(() => expect(statesOf(feed)).toEqual({ live: 8, rejected: 1 }));
      expect(feed.notLive()).toMatchObject([{ symbol: 'S5-USDT', state: 'rejected', reason: '2: bad' }]);
    });

    it('"already subscribed" is no rejection', async () => {
      server.onRequest = (peer, request) => {
        const reason = 'Already subscribed';
        peer.control({
          kind: 'rejected',
          request: request.id,
          topics: request.topics,
          scope: 'topics',
          code: null,
          reason,
        });
      };
      const { feed } = feedOf();
      feed.start();
      await until(() => expect(statesOf(feed)).toEqual({ acknowledged: 3 }));
    });

    it('what was rejected is asked for again in a new session, alone and last', async () => {
      let listed = false;
      server.onRequest = (peer, request) => {
        if (listed || !request.topics.includes('trades/0')) return peer.answer(request);
        const topics = ['trades/0'];
        return peer.control({
          kind: 'rejected',
          request: request.id,
          topics,
          scope: 'request',
          code: null,
          reason: 'no',
        });
      };
      const { feed } = feedOf();
      feed.start();
      await until(() => expect(statesOf(feed)).toEqual({ live: 2, rejected: 1 }));
      listed = true;
      server.last.socket.terminate();
      await untilLive(feed, 3);
      expect(server.last.requests.map(({ topics }) => topics)).toEqual([
        ['trades/1', 'trades/2'],
        ['trades/0'],
      ]);
    });

    it('throttled: waits, then sends again what was not answered', async () => {
      server.onRequest = (peer, request) => {
        if (request.id > 2) peer.answer(request);
        else if (request.id === 2) peer.control({ kind: 'throttled', reason: 'Exceeded msg rate' });
      };
      const { feed, seen } = feedOf({ limits: { topicsPerRequest: 2 } });
      feed.start();
      await untilLive(feed, 3);
      expect(server.last.requests.map(({ topics }) => topics.length)).toEqual([2, 1, 2, 1]);
      expect(seen.logs.map(({ event }) => event)).toContain('sending-too-fast');
    });
  });

  describe('lost sessions', () => {
    it('comes back, subscribes again, and says so', async () => {
      const { feed, seen } = feedOf({ limits: { topicsPerConnection: 2 } });
      feed.start();
      await untilLive(feed, 3);
      const first = seen.frames[0]!.session;
      const untouched = feed.connections()[1]!.session;
      seen.changes.length = 0;
      server.peers[0]!.socket.terminate();
      await until(() => expect(feed.reconnects()).toBe(1));
      await untilLive(feed, 3);
      const second = feed.connections()[0]!;
      expect(second.session).not.toBe(first.id);
      expect(second.reconnects).toEqual({ 'closed-1006': 1 });
      expect(feed.connections()[1]!.session).toBe(untouched);
      const changes = seen.changes.filter(({ instrument }) => instrument.slot === 0);
      expect(changes.map(({ from, to, reconnected }) => [from, to, reconnected])).toEqual([
        ['live', 'requested', false],
        ['requested', 'acknowledged', true],
        ['acknowledged', 'live', false],
      ]);
      expect(changes[0]!.reason).toContain('1006');
      expect(changes[0]!.session?.id).toBe(first.id);
      expect(changes[1]!.session?.id).toBe(second.session);
      expect(seen.changes.some(({ instrument }) => instrument.slot === 2)).toBe(false);
    });

    it('never gives up while nobody listens', async () => {
      const { feed } = feedOf();
      feed.start();
      await untilLive(feed, 3);
      const port = Number(new URL(server.address).port);
      await server.close();
      await until(() => expect(feed.reconnects()).toBeGreaterThan(5));
      expect(reasonsOf(feed)).toContain('connect');
      server = new ScriptedExchange();
      await server.listen(port);
      await untilLive(feed, 3);
    });

    it('half-open: terminated and replaced when nothing comes for the timeout', async () => {
      let mute = true;
      server.onRequest = (peer, request) => {
        if (!mute || request.op !== 'ping') peer.answer(request);
      };
      const { feed } = feedOf({
        exchange: testExchange({ pingAfterMs: 20 }),
        options: { heartbeat: { timeoutMs: 100, checkEveryMs: 20 } },
      });
      feed.start();
      await until(() => expect(reasonsOf(feed)).toEqual(['silent']));
      mute = false;
      await untilLive(feed, 3);
      const { reconnects } = feed.connections()[0]!;
      // Answered pings are life: it lives on for several timeouts.
      const peer = server.last;
      const pings = peer.asked('ping').length;
      await until(() =>
        expect(peer.requests.filter(({ op }) => op === 'ping').length).toBeGreaterThan(pings + 12),
      );
      expect(feed.connections()[0]!.reconnects).toEqual(reconnects);
    });

    it('pings by control frame where the exchange has no ping of its own', async () => {
      const { feed } = feedOf({
        exchange: testExchange({ kind: 'websocket', pingAfterMs: 20 }),
        options: { heartbeat: { timeoutMs: 200, checkEveryMs: 20 } },
      });
      feed.start();
      await until(() => expect(server.last.pings).toBeGreaterThan(20));
      expect(feed.reconnects()).toBe(0);
      expect(server.last.asked('ping')).toEqual([]);
    });

    it('a refused upgrade: no attempt before Retry-After is over', async () => {
      server.refuse = () =>
        'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n';
      const { feed, seen } = feedOf({
        limits: { topicsPerConnection: 1, connectBurst: 1, connectsPerMinute: 600 },
      });
      feed.start();
      await until(() => expect(reasonsOf(feed)).toEqual(['refused-429']));
      expect(server.attempts).toBe(1);
      expect(feed.connections()[0]!.state).toBe('backing-off');
      expect(seen.logs.find(({ event }) => event === 'connection-lost')?.fields.reason).toBe('refused-429');
      await feed.stop(1000);
      expect(server.attempts).toBe(1);
    });

    it('a refused upgrade without Retry-After: pauses as set, then goes on', async () => {
      server.refuse = () =>
        server.attempts < 2 ? 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n' : null;
      const { feed } = feedOf({ timings: { refusedPauseMs: 50 } });
      feed.start();
      await untilLive(feed, 3);
      expect(server.attempts).toBe(2);
      expect(feed.connections()[0]!.reconnects).toEqual({ 'refused-403': 1 });
    });

    it('closed for too many topics: halves what a connection holds and opens more', async () => {
      server.onRequest = (peer, request) => {
        if (peer.asked('subscribe').length > 3)
          peer.socket.close(4008, 'subscribed channels exceed the maximum');
        else peer.answer(request);
      };
      const { feed } = feedOf({ topics: 10 });
      feed.start();
      await untilLive(feed, 10);
      for (const { subscriptions } of feed.connections()) expect(subscriptions.live).toBeLessThanOrEqual(3);
      expect(reasonsOf(feed)).toContain('closed-4008');
      expect(feed.notLive()).toEqual([]);
    });

    it('told of too many topics by an error without an id: a bare close after it means the same', async () => {
      // Binance: `{"error":{"code":4,"msg":"Too many subscriptions"}}`, then 1008.
      server.onRequest = (peer, request) => {
        if (peer.asked('subscribe').length > 3) {
          peer.control({ kind: 'error', code: '4', reason: 'Too many subscriptions' });
          peer.socket.close(1008);
        } else peer.answer(request);
      };
      const { feed } = feedOf({ topics: 6 });
      feed.start();
      await untilLive(feed, 6);
      expect(reasonsOf(feed)).toEqual(['too-many-topics']);
    });

    it('topics for which no connection is left are told', async () => {
      server.onRequest = (peer, request) => {
        if (request.topics.length > 2) peer.socket.close(4008);
        else peer.answer(request);
      };
      const { feed } = feedOf({ topics: 4, limits: { connections: 1 } });
      feed.start();
      await until(() => expect(statesOf(feed)).toEqual({ live: 2 }));
      expect(feed.notLive()).toMatchObject([
        { symbol: 'S2-USDT', connection: null, state: 'requested' },
        { symbol: 'S3-USDT', connection: null, state: 'requested' },
      ]);
      expect(feed.notLive()[0]!.reason).toContain('limits.connections');
    });
  });

  describe('silence of data', () => {
    const fastChecks = { heartbeat: { timeoutMs: 60_000, checkEveryMs: 10 } };

    it('a silent subscription is stale, subscribed again, and live upon data', async () => {
      const { feed, seen } = feedOf({
        channels: ['quotes'],
        timings: { resubscribe: { firstMs: 60_000, maxMs: 60_000 } },
        options: { ...fastChecks, dataSilenceMs: { trades: Infinity, quotes: 50 } },
      });
      server.onRequest = (peer, request) => peer.answer(request);
      feed.start();
      await until(() =>
        expect(server.last.asked('unsubscribe').toSorted()).toEqual(['quotes/0', 'quotes/1', 'quotes/2']),
      );
      await until(() => expect(server.last.asked('subscribe')).toHaveLength(6));
      const stale = seen.changes.find(({ to }) => to === 'stale');
      expect(stale?.reason).toMatch(/no data for/);
      await until(() =>
        expect(
          seen.changes.filter(({ from, to }) => from === 'stale' && to === 'live').length,
        ).toBeGreaterThan(2),
      );
      expect(feed.reconnects()).toBe(0);
    });

    it('acknowledged but silent while others flow is stale; a quiet adaptive one is not', async () => {
      server.onRequest = (peer, request) => {
        peer.acknowledge(request);
        if (request.op === 'subscribe') peer.ticks(['quotes/0']);
      };
      const { feed, seen } = feedOf({
        channels: ['trades', 'quotes'],
        topics: 2,
        timings: { resubscribe: { firstMs: 60_000, maxMs: 60_000 } },
        options: { ...fastChecks, dataSilenceMs: { trades: Infinity, quotes: 100 } },
      });
      feed.start();
      await until(() => expect(server.peers).toHaveLength(1));
      const flow = setInterval(() => server.last.ticks(['quotes/0']), 5);
      await until(() => expect(seen.changes.some(({ to }) => to === 'stale')).toBe(true)).finally(() =>
        clearInterval(flow),
      );
      const stale = seen.changes.filter(({ to }) => to === 'stale');
      expect(stale.map(({ channel, instrument }) => [channel, instrument.slot])).toEqual([['quotes', 1]]);
      expect(stale[0]!.reason).toMatch(/acknowledged but silent/);
      expect(feed.notLive().map(({ channel, state }) => [channel, state])).toEqual([
        ['trades', 'acknowledged'],
        ['trades', 'acknowledged'],
        ['quotes', 'stale'],
      ]);
    });

    it('a whole channel that was never heard while another flows is stale', async () => {
      server.onRequest = (peer, request) => {
        peer.acknowledge(request);
        if (request.op === 'subscribe') peer.ticks(['quotes/0', 'quotes/1']);
      };
      const { feed, seen } = feedOf({
        channels: ['trades', 'quotes'],
        topics: 2,
        timings: { channelSilenceMs: 50 },
        options: { ...fastChecks, dataSilenceMs: { trades: Infinity, quotes: 60_000 } },
      });
      feed.start();
      await until(() => expect(server.peers).toHaveLength(1));
      const flow = setInterval(() => server.last.ticks(['quotes/0', 'quotes/1']), 5);
      await until(() => expect(statesOf(feed)).toEqual({ live: 2, stale: 2 })).finally(() =>
        clearInterval(flow),
      );
      expect(seen.changes.find(({ to }) => to === 'stale')?.reason).toContain('its whole channel');
    });

    it('the socket goes when all that is normally busy stays silent', async () => {
      const { feed } = feedOf({
        channels: ['trades', 'quotes'],
        topics: 1,
        timings: { adaptiveSilenceMs: 40, busyIntervalMs: 1000 },
        options: { ...fastChecks, dataSilenceMs: { trades: Infinity, quotes: Infinity } },
      });
      server.onRequest = (peer, request) => {
        // The first socket falls silent for good, resubscribed or not.
        peer.acknowledge(request);
        if (peer !== server.peers[0]) peer.ticks(request.topics);
      };
      feed.start();
      await until(() => expect(server.last.asked('subscribe')).toHaveLength(2));
      const flow = setInterval(() => server.last.ticks(['trades/0', 'quotes/0']), 2);
      await untilLive(feed, 2);
      await until(() => expect(feed.connections()[0]!.messages).toBeGreaterThan(60)).finally(() =>
        clearInterval(flow),
      );
      await until(() => expect(feed.connections()[0]!.reconnects['data-silent']).toBeGreaterThan(0));
    });
  });

  describe('make before break', () => {
    it('a shutdown notice: the new session is live before the old one is unsubscribed and closed', async () => {
      const { feed, seen } = feedOf();
      feed.start();
      await untilLive(feed, 3);
      const old = server.peers[0]!;
      let openAtBegin = -1;
      const before = seen.changes.length;
      server.onOpen = () => {
        openAtBegin = seen.handovers.length;
      };
      old.control({ kind: 'shutdown', reason: 'serverShutdown' });
      await until(() => expect(seen.handovers.map(({ phase }) => phase)).toEqual(['begin', 'end']));
      expect(openAtBegin).toBe(1);
      expect(seen.handovers[0]!.from).toBe(seen.handovers[1]!.from);
      expect(seen.handovers[0]!.to).toBe(seen.handovers[1]!.to);
      expect(old.asked('unsubscribe')).toEqual(['trades/0', 'trades/1', 'trades/2']);
      await until(() => expect(old.closeCode).toBe(1000));
      expect(seen.changes).toHaveLength(before);
      expect(statesOf(feed)).toEqual({ live: 3 });
      expect(feed.connections()[0]).toMatchObject({
        state: 'open',
        session: seen.handovers[0]!.to.id,
        reconnects: { shutdown: 1 },
      });
      expect([feed.reconnects(), feed.activeConnections()]).toEqual([1, 1]);
    });

    it('what is quiet in the new session is waited for, and then taken as acknowledged', async () => {
      server.onRequest = (peer, request) => {
        peer.acknowledge(request);
        if (peer === server.peers[0]) peer.ticks(request.topics);
      };
      const { feed, seen } = feedOf();
      feed.start();
      await untilLive(feed, 3);
      server.peers[0]!.control({ kind: 'shutdown', reason: 'upgrade' });
      await until(() => expect(server.peers).toHaveLength(2));
      // Both deliver meanwhile, each under its own session.
      server.peers[0]!.ticks(['trades/0']);
      await until(() => expect(seen.handovers).toHaveLength(2));
      expect(statesOf(feed)).toEqual({ live: 3 });
      expect(new Set(seen.frames.map(({ session }) => session.id)).size).toBe(2);
    });

    it('the old session dies before the new one is ready: what was not acknowledged yet is reconnected', async () => {
      const held: (() => void)[] = [];
      server.onRequest = (peer, request) => {
        if (peer === server.peers[0]) peer.answer(request);
        else if (request.topics.includes('trades/0')) peer.answer(request);
        else held.push(() => peer.answer(request));
      };
      const { feed, seen } = feedOf({ limits: { topicsPerRequest: 1 } });
      feed.start();
      await untilLive(feed, 3);
      seen.changes.length = 0;
      server.peers[0]!.control({ kind: 'shutdown', reason: 'upgrade' });
      await until(() => expect(held).toHaveLength(2));
      await until(() =>
        expect(
          seen.frames.some(
            ({ session, frame }) => 'tick' in frame && session.ordinal === seen.handovers[0]?.to.ordinal,
          ),
        ).toBe(true),
      );
      server.peers[0]!.socket.terminate();
      await until(() => expect(statesOf(feed)).toEqual({ live: 1, requested: 2 }));
      expect(seen.handovers.map(({ phase }) => phase)).toEqual(['begin', 'end']);
      for (const answer of held) answer();
      await untilLive(feed, 3);
      expect(feed.connections()[0]!.reconnects).toEqual({ shutdown: 1 });
      expect(
        seen.changes.filter(({ reconnected }) => reconnected).map(({ instrument }) => instrument.slot),
      ).toEqual([1, 2]);
      expect(server.peers).toHaveLength(2);
    });

    it('the new session dies while the old one is being closed: the overlap ends with it', async () => {
      server.onRequest = (peer, request) => {
        // The old session hangs on to its unsubscription.
        if (request.op === 'subscribe') peer.answer(request);
      };
      const { feed, seen } = feedOf();
      feed.start();
      await untilLive(feed, 3);
      const old = server.peers[0]!;
      old.control({ kind: 'shutdown', reason: 'upgrade' });
      await until(() => expect(old.asked('unsubscribe')).toHaveLength(3));
      expect(seen.handovers.map(({ phase }) => phase)).toEqual(['begin']);
      server.peers[1]!.socket.terminate();
      await until(() => expect(seen.handovers.map(({ phase }) => phase)).toEqual(['begin', 'end']));
      expect(seen.handovers[1]!.to).toBe(seen.handovers[0]!.to);
      await until(() => expect(server.peers).toHaveLength(3));
      await untilLive(feed, 3);
      await until(() => expect(feed.activeConnections()).toBe(1));
      expect(seen.handovers).toHaveLength(2);
    });

    it('stopped while two sessions overlap: both are closed, and the overlap has ended', async () => {
      server.onRequest = (peer, request) => {
        if (peer === server.peers[0]) peer.answer(request);
      };
      const { feed, seen } = feedOf();
      feed.start();
      await untilLive(feed, 3);
      server.peers[0]!.control({ kind: 'shutdown', reason: 'upgrade' });
      await until(() => expect(server.peers[1]?.asked('subscribe')).toHaveLength(3));
      await feed.stop(2_000);
      expect(seen.handovers.map(({ phase }) => phase)).toEqual(['begin', 'end']);
      expect(feed.activeConnections()).toBe(0);
      expect(server.peers[0]!.asked('unsubscribe')).toHaveLength(3);
    });

    it('a replacement that fails leaves the old session alone, and is tried again', async () => {
      const { feed, seen } = feedOf();
      feed.start();
      await untilLive(feed, 3);
      const before = seen.changes.length;
      server.refuse = () => (server.attempts < 4 ? 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n' : null);
      server.peers[0]!.control({ kind: 'shutdown', reason: 'upgrade' });
      await until(() => expect(server.peers[0]!.closeCode).toBe(1000));
      expect(seen.handovers.map(({ phase }) => phase)).toEqual([
        'begin',
        'end',
        'begin',
        'end',
        'begin',
        'end',
      ]);
      expect(seen.changes).toHaveLength(before);
      expect(server.attempts).toBe(4);
    });

    it('a session is replaced before its life is over', async () => {
      const { feed, seen } = feedOf({ limits: { sessionLifetimeMs: 200 } });
      feed.start();
      await until(() => expect(feed.connections()[0]!.reconnects.lifetime).toBeGreaterThanOrEqual(2));
      expect(feed.reconnects()).toBe(feed.connections()[0]!.reconnects.lifetime);
      expect(seen.changes.filter(({ to }) => to === 'requested')).toHaveLength(3);
      expect(seen.logs.map(({ event }) => event)).not.toContain('connection-lost');
    });

    it('without room for a second socket it breaks before it makes', async () => {
      const { feed, seen } = feedOf({ limits: { connections: 1 } });
      feed.start();
      await untilLive(feed, 3);
      server.peers[0]!.control({ kind: 'shutdown', reason: 'upgrade' });
      await until(() => expect(server.peers).toHaveLength(2));
      await untilLive(feed, 3);
      expect(seen.handovers).toEqual([]);
      expect(feed.connections()[0]!.reconnects).toEqual({ shutdown: 1 });
    });

    it('back online after maintenance: a fresh session', async () => {
      const { feed, seen } = feedOf();
      feed.start();
      await untilLive(feed, 3);
      const first = server.peers[0]!;
      first.control({ kind: 'status', state: 'online' });
      first.control({ kind: 'status', state: 'maintenance' });
      first.control({ kind: 'status', state: 'online' });
      await until(() => expect(seen.handovers).toHaveLength(2));
      expect(feed.connections()[0]!.reconnects).toEqual({ status: 1 });
    });
  });

  describe('pause, stop, and defects of the listener', () => {
    it('our own pause is no silence, and what came meanwhile is read after it', async () => {
      const { feed, seen } = feedOf({
        exchange: testExchange({ kind: 'websocket', pingAfterMs: 10 }),
        options: { heartbeat: { timeoutMs: 40, checkEveryMs: 10 } },
      });
      feed.start();
      await untilLive(feed, 3);
      feed.pause();
      const frames = seen.frames.length;
      server.last.ticks(['trades/1', 'trades/2']);
      // Pings go out all the while: many timeouts pass.
      const pings = server.last.pings;
      await until(() => expect(server.last.pings).toBeGreaterThan(pings + 20));
      expect(seen.frames).toHaveLength(frames);
      expect(feed.reconnects()).toBe(0);
      feed.resume();
      await until(() => expect(seen.frames).toHaveLength(frames + 2));
      expect(feed.reconnects()).toBe(0);
    });

    it('a socket that opens while paused is not read', async () => {
      const { feed, seen } = feedOf();
      feed.pause();
      feed.start();
      await until(() => expect(server.last?.requests ?? []).toHaveLength(1));
      const other = feedOf();
      other.feed.start();
      await untilLive(other.feed, 3);
      expect(seen.frames).toEqual([]);
      feed.resume();
      await untilLive(feed, 3);
    });

    it('stop unsubscribes, delivers what still comes, and closes with 1000', async () => {
      const { feed, seen } = feedOf({ limits: { topicsPerConnection: 2 } });
      server.onRequest = (peer, request) => {
        if (request.op === 'unsubscribe') peer.ticks(request.topics);
        peer.answer(request);
      };
      feed.start();
      await untilLive(feed, 3);
      const ticks = seen.frames.filter(({ frame }) => 'tick' in frame).length;
      const changes = seen.changes.length;
      await feed.stop(5000);
      expect(seen.frames.filter(({ frame }) => 'tick' in frame)).toHaveLength(ticks + 3);
      await until(() => expect(server.peers.map(({ closeCode }) => closeCode)).toEqual([1000, 1000]));
      expect(feed.connections().map(({ state }) => state)).toEqual(['closed', 'closed']);
      expect(feed.activeConnections()).toBe(0);
      expect(seen.changes).toHaveLength(changes);
    });

    it('stop ends within its budget when the exchange does not answer', async () => {
      const { feed } = feedOf();
      server.onRequest = (peer, request) => {
        if (request.op === 'subscribe') peer.answer(request);
        else peer.socket.pause();
      };
      feed.start();
      await untilLive(feed, 3);
      await feed.stop(100);
      expect(feed.activeConnections()).toBe(0);
      expect(server.last.asked('unsubscribe')).toHaveLength(3);
    });

    it('stop before start, twice, while connecting and while backing off', async () => {
      const idle = feedOf().feed;
      await idle.stop(1000);
      idle.start();
      expect(idle.connections()[0]!.state).toBe('closed');

      const connecting = feedOf().feed;
      connecting.start();
      await Promise.all([connecting.stop(1000), connecting.stop(1000)]);

      const attempts = server.attempts;
      server.refuse = () => 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n';
      const failing = feedOf({ timings: { backoff: { firstMs: 60_000, maxMs: 60_000 } } }).feed;
      failing.start();
      await until(() => expect(failing.reconnects()).toBe(1));
      await failing.stop(1000);
      expect(server.attempts).toBeLessThanOrEqual(attempts + 2);
    });

    it('an exception of the listener costs that frame and is counted', async () => {
      const { feed, seen } = feedOf();
      feed.start();
      await untilLive(feed, 3);
      seen.onFrame = () => {
        throw new Error('a defect');
      };
      server.last.ticks(['trades/0', 'trades/1']);
      await until(() => expect(feed.listenerFailures()).toBe(2));
      seen.onFrame = null;
      const frames = seen.frames.length;
      server.last.ticks(['trades/2']);
      await until(() => expect(seen.frames).toHaveLength(frames + 1));
      expect(feed.reconnects()).toBe(0);
      expect(seen.logs.map(({ event }) => event)).toContain('feed-listener-failed');
    });

    it('a tick of what is not subscribed here changes nothing', async () => {
      const { feed } = feedOf();
      feed.start();
      await untilLive(feed, 3);
      const { messages } = feed.connections()[0]!;
      server.last.ticks(['trades/99', 'quotes/0', 'trades/0']);
      await until(() => expect(feed.connections()[0]!.messages).toBe(messages + 3));
      expect(statesOf(feed)).toEqual({ live: 3 });
      expect(feed.listenerFailures()).toBe(0);
    });
  });
});
