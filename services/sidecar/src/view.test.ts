import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exampleConnection, exampleStatus } from './pod-status-example.ts';
import type { PollOutcome } from './poller.ts';
import { type Instant, View } from './view.ts';

/** The wall clock runs 1,000,000 ahead of the monotonic one. */
const at = (monotonic: number): Instant => ({ wall: 1_000_000 + monotonic, monotonic });
const answered = (...args: Parameters<typeof exampleStatus>): PollOutcome => ({
  kind: 'answered',
  status: exampleStatus(...args),
});
const gone: PollOutcome = { kind: 'unreachable', reason: 'nothing listens' };
const hung: PollOutcome = { kind: 'hung', reason: 'no answer' };

function view(): View {
  return new View(1_000, at(0));
}

describe('the state', () => {
  it('is unknown before the first poll', () => {
    expect(view()).toMatchObject({ state: 'unknown', answers: false, status: null, lastAnswerAt: null });
  });

  it('follows the phases of an ingestor that answers', () => {
    const it = view();
    it.apply(answered({ phase: 'starting', notReady: 'okx is not settled' }), at(1));
    expect(it).toMatchObject({ state: 'starting', reason: 'okx is not settled', answers: true });
    it.apply(answered({ phase: 'running' }), at(2));
    expect(it).toMatchObject({ state: 'up', since: 1_000_002, answers: true });
    it.apply(answered({ phase: 'draining' }), at(3));
    expect(it).toMatchObject({ state: 'draining', answers: true });
  });

  it('says when it changed, not when it was last seen', () => {
    const it = view();
    expect(it.apply(answered(), at(10))).toBe(true);
    expect(it.apply(answered(), at(20))).toBe(false);
    expect(it.since).toBe(1_000_010);
    expect(it.lastAnswerAt).toBe(1_000_020);
  });

  it('keeps the last status and its age when the ingestor is gone or hangs', () => {
    const it = view();
    it.apply(answered(), at(100));
    it.apply(gone, at(1_100));
    expect(it).toMatchObject({ state: 'unreachable', answers: false, reason: 'nothing listens' });
    it.apply(hung, at(5_100));
    expect(it).toMatchObject({ state: 'hung', answers: false });
    expect(it.status?.producer).toBe('p1');
    expect(it.ageSeconds(at(6_100))).toBe(6);
  });

  it('tells an ingestor that never answered apart', () => {
    const it = view();
    it.apply(gone, at(1));
    expect(it.reason).toBe('nothing listens; it has never answered this sidecar');
  });

  it('is restarted for a while when another producer answers, whether it was seen gone or not', () => {
    for (const between of [[], [gone], [hung, gone]]) {
      const it = view();
      it.apply(answered(), at(1));
      for (const outcome of between) it.apply(outcome, at(2));
      it.apply(answered({ producer: 'p2', pid: 11, phase: 'starting' }), at(3));
      expect(it).toMatchObject({ state: 'restarted', answers: true, restarts: 1 });
      expect(it.reason).toBe('producer p1 (pid 10) was replaced by p2 (pid 11), which is starting');
      it.apply(answered({ producer: 'p2', pid: 11 }), at(1_002));
      expect(it.state).toBe('restarted');
      it.apply(answered({ producer: 'p2', pid: 11 }), at(1_003));
      expect(it).toMatchObject({ state: 'up', restarts: 1 });
      expect(it.lastRestart).toEqual({
        at: 1_000_003,
        from: { producer: 'p1', pid: 10 },
        to: { producer: 'p2', pid: 11 },
      });
    }
  });

  it('is entered anew by a second restart', () => {
    const it = view();
    it.apply(answered(), at(0));
    it.apply(answered({ producer: 'p2' }), at(10));
    expect(it.apply(answered({ producer: 'p3' }), at(20))).toBe(true);
    expect(it).toMatchObject({ state: 'restarted', restarts: 2, since: 1_000_020 });
  });

  it('is not restarted when the same producer answers again', () => {
    const it = view();
    it.apply(answered(), at(1));
    it.apply(hung, at(2));
    it.apply(answered(), at(3));
    expect(it).toMatchObject({ state: 'up', restarts: 0 });
  });

  it('tells draining rather than the restart before', () => {
    const it = view();
    it.apply(answered(), at(1));
    it.apply(answered({ producer: 'p2', phase: 'draining' }), at(2));
    expect(it).toMatchObject({ state: 'draining', restarts: 1 });
  });
});

describe('connections', () => {
  it('are up when open and the ingestor answers', () => {
    const it = view();
    const connections = [
      exampleConnection(),
      exampleConnection({ connection: 'binance-1', state: 'backing-off' }),
    ];
    it.apply(answered({ connections }), at(0));
    expect(it.connections(at(0)).map(({ connection, up }) => [connection, up])).toEqual([
      ['binance-0', true],
      ['binance-1', false],
    ]);
    it.apply(hung, at(1));
    expect(it.connections(at(1)).map(({ up }) => up)).toEqual([false, false]);
  });

  it('grow older while the ingestor is silent, from data, opening or start', () => {
    const it = view();
    it.apply(
      answered({
        connections: [
          exampleConnection(),
          exampleConnection({ connection: 'binance-1', lastDataAt: null }),
          exampleConnection({ connection: 'binance-2', lastDataAt: null, openedAt: null }),
        ],
      }),
      at(0),
    );
    expect(it.connections(at(0)).map((each) => each.dataAgeSeconds)).toEqual([2, 50, 60]);
    it.apply(hung, at(3_000));
    expect(it.connections(at(4_500)).map((each) => each.dataAgeSeconds)).toEqual([6.5, 54.5, 64.5]);
  });

  it('have no negative age when a clock stepped', () => {
    const it = view();
    it.apply(answered({ connections: [exampleConnection({ lastDataAt: 2_000_000 })] }), at(0));
    expect(it.connections(at(0))[0]!.dataAgeSeconds).toBe(0);
  });
});

describe('reconnects', () => {
  const withReconnects = (producer: string, reconnects: Record<string, number>) =>
    answered({ producer, connections: [exampleConnection({ reconnects })] });
  const counts = (it: View) =>
    Object.fromEntries(it.reconnects().map(({ reason, count }) => [reason, count]));

  it('go on over restarts of the ingestor', () => {
    const it = view();
    it.apply(withReconnects('p1', { silence: 2, closed: 1 }), at(0));
    it.apply(withReconnects('p1', { silence: 3, closed: 1 }), at(1));
    it.apply(gone, at(2));
    expect(counts(it)).toEqual({ silence: 3, closed: 1 });
    it.apply(withReconnects('p2', {}), at(3));
    expect(counts(it)).toEqual({ silence: 3, closed: 1 });
    it.apply(withReconnects('p2', { silence: 1, refused: 4 }), at(4));
    expect(counts(it)).toEqual({ silence: 4, closed: 1, refused: 4 });
    it.apply(withReconnects('p3', { silence: 1 }), at(5));
    expect(counts(it)).toEqual({ silence: 5, closed: 1, refused: 4 });
  });

  it('keep those of a connection that is no longer listed', () => {
    const it = view();
    it.apply(withReconnects('p1', { silence: 2 }), at(0));
    it.apply(answered({ producer: 'p1', connections: [] }), at(1));
    it.apply(answered({ producer: 'p2', connections: [] }), at(2));
    expect(counts(it)).toEqual({ silence: 2 });
  });

  it('never fall, and count no reconnect twice, whatever happens', () => {
    const step = fc.oneof(
      fc.constant({ kind: 'more' as const }),
      fc.constant({ kind: 'restart' as const }),
      fc.constant({ kind: 'gone' as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const it = view();
        let life = 1;
        let present = 0;
        let seen = 0;
        for (const [time, { kind }] of steps.entries()) {
          if (kind === 'gone') it.apply(gone, at(time));
          else {
            if (kind === 'restart') {
              life++;
              present = 0;
            } else {
              present++;
              seen++;
            }
            it.apply(withReconnects(`p${life}`, { silence: present }), at(time));
          }
          expect(counts(it).silence ?? 0).toBe(seen);
        }
      }),
    );
  });
});
