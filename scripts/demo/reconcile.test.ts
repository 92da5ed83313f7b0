import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Reconciler } from './reconcile.ts';

const wrote = (identity: string, writeTime = 1_000, owed = true) => ({ identity, writeTime, owed });

describe('Reconciler', () => {
  it('measures from write to read, whichever side is heard of first', () => {
    const latencies: number[] = [];
    const reconciler = new Reconciler((micros) => latencies.push(micros));
    reconciler.wrote(wrote('a', 1_000));
    reconciler.read('a', 4_000);
    reconciler.read('b', 9_000);
    reconciler.wrote(wrote('b', 2_000));
    expect(latencies).toEqual([3_000, 7_000]);
    expect(reconciler.latency.count).toBe(2);
    expect(reconciler.result()).toEqual({ owed: 2, readBack: 2, missing: 0, duplicates: 0, unexplained: 0 });
  });

  it('measures nothing that was written before the market opened', () => {
    const reconciler = new Reconciler();
    reconciler.measureFrom(2_000);
    for (const [identity, writeTime] of [
      ['early', 1_999],
      ['in time', 2_000],
    ] as const) {
      reconciler.wrote(wrote(identity, writeTime));
      reconciler.read(identity, 5_000);
    }
    expect(reconciler.latency.count).toBe(1);
    expect(reconciler.result()).toMatchObject({ owed: 2, readBack: 2, missing: 0 });
  });

  it('misses what was owed and not read', () => {
    const reconciler = new Reconciler();
    reconciler.wrote(wrote('lost'));
    reconciler.wrote(wrote('before the acknowledgement', 1_000, false));
    expect(reconciler.result()).toMatchObject({ owed: 1, missing: 1, readBack: 0 });
  });

  it('owes a tick once when it was first written unacknowledged or in a snapshot', () => {
    const reconciler = new Reconciler();
    reconciler.wrote(wrote('a', 1_000, false));
    reconciler.wrote(wrote('a', 2_000, true));
    expect(reconciler.result()).toMatchObject({ owed: 1, missing: 1 });
    reconciler.read('a', 3_000);
    expect(reconciler.result()).toMatchObject({ owed: 1, missing: 0 });
  });

  it('takes a repeated write for one tick, read once or twice', () => {
    const once = new Reconciler();
    once.wrote(wrote('a'));
    once.wrote(wrote('a'));
    once.read('a', 2_000);
    expect(once.result()).toMatchObject({ owed: 1, missing: 0, duplicates: 0 });
    once.read('a', 2_000);
    expect(once.result()).toMatchObject({ duplicates: 0 });
    once.read('a', 2_000);
    expect(once.result()).toMatchObject({ duplicates: 1 });
  });

  it('counts what was read more often than written, and what was never written', () => {
    const reconciler = new Reconciler();
    reconciler.read('a', 2_000);
    reconciler.read('a', 2_001);
    reconciler.read('b', 2_002);
    expect(reconciler.result()).toMatchObject({ duplicates: 1, unexplained: 2 });
    reconciler.wrote(wrote('a'));
    expect(reconciler.result()).toMatchObject({ duplicates: 1, unexplained: 1 });
    reconciler.wrote(wrote('a'));
    expect(reconciler.result()).toMatchObject({ duplicates: 0, unexplained: 1 });
  });

  it('agrees with plain counting in any order of events', () => {
    const event = fc.record({
      identity: fc.constantFrom('a', 'b', 'c', 'd'),
      kind: fc.constantFrom('owed' as const, 'free' as const, 'read' as const),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const reconciler = new Reconciler();
        const counts = new Map<string, { owed: number; free: number; read: number }>();
        for (const { identity, kind } of events) {
          const count = counts.get(identity) ?? { owed: 0, free: 0, read: 0 };
          counts.set(identity, count);
          count[kind]++;
          if (kind === 'read') reconciler.read(identity, 5_000);
          else reconciler.wrote(wrote(identity, 1_000, kind === 'owed'));
        }
        const all = [...counts.values()];
        expect(reconciler.result()).toEqual({
          owed: all.filter((c) => c.owed > 0).length,
          readBack: all.reduce((sum, c) => sum + c.read, 0),
          missing: all.filter((c) => c.owed > 0 && c.read === 0).length,
          duplicates: all.reduce((sum, c) => sum + Math.max(0, c.read - Math.max(1, c.owed + c.free)), 0),
          unexplained: all.filter((c) => c.read > 0 && c.owed + c.free === 0).length,
        });
      }),
    );
  });

  it('keeps its memory flat and forgets nothing that is open', () => {
    const reconciler = new Reconciler(undefined, 100);
    reconciler.wrote(wrote('slow', 0));
    for (let at = 0; at < 10_000; at++) {
      reconciler.read(`t${at}`, at * 1_000 + 500);
      reconciler.wrote(wrote(`t${at}`, at * 1_000));
      expect(reconciler.remembered).toBeLessThanOrEqual(202);
    }
    expect(reconciler.result()).toEqual({
      owed: 10_001,
      readBack: 10_000,
      missing: 1,
      duplicates: 0,
      unexplained: 0,
    });
    reconciler.read('slow', 10_000_000);
    expect(reconciler.result()).toMatchObject({ missing: 0, unexplained: 0 });
  });

  it('gives up on a tick after minutes, and still counts it as missing', () => {
    const reconciler = new Reconciler(undefined, 10);
    reconciler.wrote(wrote('gone', 0));
    for (let at = 0; at < 100; at++) {
      reconciler.wrote(wrote(`t${at}`, at * 10_000_000));
      reconciler.read(`t${at}`, at * 10_000_000 + 1);
    }
    expect(reconciler.remembered).toBeLessThanOrEqual(20);
    expect(reconciler.result()).toMatchObject({ missing: 1 });
  });
});
