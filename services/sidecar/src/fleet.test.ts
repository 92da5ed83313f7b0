import { describe, expect, it } from 'vitest';
import { fleetOf } from './fleet.ts';
import type { FleetIngestor, FleetPod } from './snapshot.ts';

const ingestor = (index: number, changed: Partial<FleetIngestor> = {}): FleetIngestor => ({
  state: 'up',
  reason: 'it answers',
  shard: { index, count: 2 },
  producer: `p${index}`,
  version: '1',
  assignment: 'same',
  ready: true,
  subscriptions: { live: 1, owned: 1 },
  units: [{ exchange: 'okx', owned: 5, configured: 10 }],
  ...changed,
});
const pod = (
  index: number,
  changed: Partial<FleetIngestor> = {},
  peer: FleetPod['peer'] = 'answers',
): FleetPod => ({
  address: `10.0.0.${index}:9466`,
  peer,
  reason: 'x',
  ingestor: ingestor(index, changed),
  ageSeconds: 1,
});
const problems = (...pods: FleetPod[]) => fleetOf(pods, true, 0).problems;

describe('fleetOf', () => {
  it('draws the map of a fleet in order and finds nothing wrong with it', () => {
    const fleet = fleetOf([pod(1), pod(0)], true, 7);
    expect(fleet.pods.map(({ address }) => address)).toEqual(['10.0.0.0:9466', '10.0.0.1:9466']);
    expect(fleet).toMatchObject({
      now: 7,
      exchanges: [{ exchange: 'okx', configured: 10 }],
      shards: [
        { index: 0, pods: 1, owned: [5] },
        { index: 1, pods: 1, owned: [5] },
      ],
      problems: [],
    });
  });

  it('misses a shard whose pod is gone, hangs or drains', () => {
    const missing = ['No pod that answers serves shard 1: nobody reads its symbols.'];
    expect(problems(pod(0))).toEqual(missing);
    expect(problems(pod(0), pod(1, {}, 'gone'))).toEqual(missing);
    expect(problems(pod(0), pod(1, { state: 'hung' }))).toEqual(missing);
    expect(problems(pod(0), pod(1, { state: 'draining' }))).toEqual(missing);
  });

  it('takes two pods of a shard for a rollout', () => {
    const fleet = fleetOf([pod(0), pod(1), { ...pod(1), address: 'new' }], true, 0);
    expect(fleet.shards[1]).toEqual({ index: 1, pods: 2, owned: [5] });
    expect(fleet.problems).toEqual([]);
  });

  it('knows nothing of other shards without peers', () => {
    expect(fleetOf([pod(0)], false, 0)).toMatchObject({
      shards: [
        { index: 0, pods: 1, owned: [5] },
        { index: 1, pods: 0, owned: [null] },
      ],
      problems: [],
    });
  });

  it('tells pods that disagree', () => {
    expect(problems(pod(0), pod(1), pod(2, { shard: { index: 2, count: 3 } }))[0]).toContain(
      'disagree about the number of shards: 2, 3',
    );
    expect(problems(pod(0), pod(1, { assignment: 'other' }))[0]).toContain('disagree about who owns what');
    // One that is older than the hash says nothing about it.
    expect(problems(pod(0), pod(1, { assignment: null }))).toEqual([]);
  });

  it('tells symbols without owner, or with two', () => {
    const owning = (owned: number) => ({ units: [{ exchange: 'okx', owned, configured: 10 }] });
    expect(problems(pod(0), pod(1, owning(3)))).toEqual(['okx: 2 of 10 symbols have no owner.']);
    expect(problems(pod(0), pod(1, owning(6)))[0]).toContain('okx: 1 of 10 symbols have two owners.');
    expect(problems(pod(0), pod(1, { units: [] }))).toEqual([]);
  });

  it('shows the pods above a count that shrinks', () => {
    const fleet = fleetOf([pod(0), pod(1), pod(2, { shard: { index: 2, count: 2 } })], true, 0);
    expect(fleet.shards).toHaveLength(3);
  });

  it('makes no map of a million rows', () => {
    expect(fleetOf([pod(0, { shard: { index: 0, count: 1e9 } })], true, 0).shards).toHaveLength(1_000);
  });

  it('tells peers that do not take our token', () => {
    expect(
      problems(pod(0), pod(1), { ...pod(3, {}, 'refused'), reason: 'it does not take our token' }),
    ).toEqual(['10.0.0.3:9466: it does not take our token.']);
  });
});
