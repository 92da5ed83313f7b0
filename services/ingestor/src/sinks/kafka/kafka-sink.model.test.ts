import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Carriage, Fate } from './testing/simulated-kafka.ts';
import { SinkHarness, type Told } from './testing/sink-harness.ts';

const KEYS = Array.from({ length: 12 }, (_, n) => `S${n}-USDT`);

/** Answers without the batch being appended. */
const CERTAIN = [2, 10, 18, 19, 45, 47, 59, 74, 87] as const;
/** Answers that leave open whether it was. */
const OPEN = [-1, 3, 5, 6, 7, 13, 20, 56] as const;

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>({ kind: 'serve' }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...CERTAIN, ...OPEN).map((code): Fate => ({ kind: 'refuse', code })),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...OPEN).map((code): Fate => ({ kind: 'append-and-refuse', code })),
  },
);

const carriage: fc.Arbitrary<Carriage> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.nat(30).map((delayMs): Carriage => ({ kind: 'answer', delayMs })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ appended: fc.boolean(), delayMs: fc.nat(50) })
      .map((each): Carriage => ({ kind: 'break', ...each })),
  },
  { weight: 1, arbitrary: fc.constant<Carriage>({ kind: 'not-connected' }) },
);

type Step =
  | { readonly do: 'append'; readonly keys: readonly number[] }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'move-leader'; readonly partition: number; readonly to: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .array(fc.nat(KEYS.length - 1), { minLength: 1, maxLength: 40 })
      .map((keys): Step => ({ do: 'append', keys })),
  },
  { weight: 6, arbitrary: fc.nat(120).map((ms): Step => ({ do: 'wait', ms })) },
  {
    weight: 1,
    arbitrary: fc
      .record({ partition: fc.nat(2), to: fc.integer({ min: -1, max: 3 }) })
      .map(({ partition, to }): Step => ({ do: 'move-leader', partition, to: to === 0 ? 1 : to })),
  },
);

function covers(told: readonly Told[], key: string, sequence: number): boolean {
  return told.some(
    (each) => each.key === key && each.firstSequence <= sequence && sequence <= each.lastSequence,
  );
}

describe('KafkaSink, whatever the cluster does', () => {
  it('writes every tick once and in order, or says which were lost or repeated', async () => {
    let repeats = 0;
    let losses = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.array(fate, { minLength: 1, maxLength: 60 }),
        fc.array(carriage, { minLength: 1, maxLength: 40 }),
        fc.array(fc.nat(400), { maxLength: 3 }),
        async (steps, fates, carriages, poisoned) => {
          const harness = new SinkHarness({ batchBytes: 4096, queueBytes: 1 << 20 });
          const { kafka } = harness;
          kafka.brokers = [1, 2, 3];
          const leaders = [1, 2, 3];
          kafka.leaderOf = (_topic, partition) => leaders[partition]!;
          let nextFate = 0;
          let nextCarriage = 0;
          await harness.start();
          kafka.fate = (part) => {
            // Records that a broker never takes, however small the batch.
            for (const each of poisoned) {
              const mark = Buffer.alloc(8);
              mark.writeDoubleBE(each + 1);
              if (part.bytes.includes(Buffer.concat([mark, Buffer.from([0, 0x55])])))
                return { kind: 'refuse', code: 87 };
            }
            return fates[nextFate++] ?? { kind: 'serve' };
          };
          kafka.carriage = () => carriages[nextCarriage++] ?? { kind: 'answer', delayMs: 1 };
          for (const each of steps) {
            if (each.do === 'append') for (const key of each.keys) harness.append(KEYS[key]!);
            else if (each.do === 'wait') await harness.clock.advance(each.ms);
            else leaders[each.partition] = each.to;
          }
          leaders.fill(2);
          expect(await harness.flush()).toBe(true);
          expect(kafka.mostUnderWay).toBeLessThanOrEqual(1);

          for (const [key, given] of harness.given) {
            const written = harness.written(key).map(({ sequence }) => sequence);
            const count = new Map<number, number>();
            for (const sequence of written) count.set(sequence, (count.get(sequence) ?? 0) + 1);
            for (let sequence = 1; sequence <= given; sequence++) {
              const times = count.get(sequence) ?? 0;
              if (covers(harness.lost, key, sequence)) losses++;
              else expect(times, `${key} ${sequence}`).toBeGreaterThanOrEqual(1);
              if (times > 1) {
                repeats++;
                expect(covers(harness.repeated, key, sequence), `${key} ${sequence} twice`).toBe(true);
              }
            }
            // The first time that each tick stands in the log: in order.
            const firsts = [...new Set(written)];
            expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
          }
          const status = harness.sink.status();
          expect([status.queuedRecords, status.queuedBytes]).toEqual([0, 0]);
          await harness.close();
        },
      ),
      { numRuns: 1500 },
    );
    // Else the model would prove nothing about them.
    expect(repeats).toBeGreaterThan(0);
    expect(losses).toBeGreaterThan(0);
  }, 120_000);

  it('repeats nothing and loses nothing where the cluster only breaks connections and answers late', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.array(carriage, { minLength: 1, maxLength: 60 }),
        async (steps, carriages) => {
          const harness = new SinkHarness({ batchBytes: 4096, queueBytes: 1 << 20 });
          const { kafka } = harness;
          kafka.brokers = [1, 2, 3];
          const leaders = [1, 2, 3];
          kafka.leaderOf = (_topic, partition) => leaders[partition]!;
          await harness.start();
          let next = 0;
          kafka.carriage = () => carriages[next++] ?? { kind: 'answer', delayMs: 1 };
          for (const each of steps) {
            if (each.do === 'append') for (const key of each.keys) harness.append(KEYS[key]!);
            else if (each.do === 'wait') await harness.clock.advance(each.ms);
            else leaders[each.partition] = each.to;
          }
          leaders.fill(2);
          expect(await harness.flush()).toBe(true);
          for (const [key, given] of harness.given) {
            expect(harness.written(key).map(({ sequence }) => sequence)).toEqual(
              Array.from({ length: given }, (_, n) => n + 1),
            );
          }
          expect([harness.lost, harness.repeated]).toEqual([[], []]);
          await harness.close();
        },
      ),
      { numRuns: 200 },
    );
  }, 120_000);
});
