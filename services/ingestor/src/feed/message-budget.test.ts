import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageBudget } from './message-budget.ts';

const HOUR_MS = 3_600_000;

describe('MessageBudget', () => {
  it('keeps the cap in every span of an hour', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 60 }),
        fc.array(fc.integer({ min: 0, max: 600_000 }), { minLength: 1, maxLength: 120 }),
        (messagesPerHour, waits) => {
          const budget = new MessageBudget({ messagesPerSecond: 100, messageBurst: 100, messagesPerHour }, 0);
          const granted: number[] = [];
          let now = 0;
          for (const wait of waits) {
            now += wait;
            while (budget.tryTake(now)) granted.push(now);
          }
          for (const from of granted) {
            const within = granted.filter((at) => at >= from && at < from + HOUR_MS).length;
            expect(within).toBeLessThanOrEqual(messagesPerHour);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('leaves room for a pong, and counts it', () => {
    const budget = new MessageBudget({ messagesPerSecond: 5, messageBurst: 5, messagesPerHour: Infinity }, 0);
    let requests = 0;
    while (budget.tryTake(0)) requests++;
    expect(requests).toBe(4);
    budget.spend(0);
    expect(budget.waitMs(0)).toBe(1100);
  });

  it('lets no more than the rate into any second, pings and pongs included, whatever the burst', () => {
    // Tries after so many milliseconds each: requests and a ping as they are allowed, a pong when the server pings.
    const steps = fc.array(
      fc.record({ waitMs: fc.integer({ min: 0, max: 700 }), ping: fc.boolean(), pong: fc.boolean() }),
      { minLength: 1, maxLength: 200 },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        steps,
        (messagesPerSecond, messageBurst, tries) => {
          const limits = { messagesPerSecond, messageBurst, messagesPerHour: Infinity };
          const budget = new MessageBudget(limits, 0);
          const sent: number[] = [];
          let now = 0;
          let lastPong = -Infinity;
          for (const { waitMs, ping, pong } of tries) {
            now += waitMs;
            if (pong && now - lastPong > 1100) {
              budget.spend(now);
              sent.push(now);
              lastPong = now;
            }
            if (ping && budget.pingWaitMs(now) === 0) {
              budget.spend(now);
              sent.push(now);
            }
            while (budget.tryTake(now)) sent.push(now);
          }
          for (const from of sent) {
            const within = sent.filter((at) => at >= from && at < from + 1000).length;
            expect(within).toBeLessThanOrEqual(messagesPerSecond);
          }
        },
      ),
    );
  });

  it('never blocks for good with a limit of one or less', () => {
    for (const messagesPerSecond of [0.5, 1]) {
      const budget = new MessageBudget({ messagesPerSecond, messageBurst: 1, messagesPerHour: Infinity }, 0);
      expect(budget.tryTake(0)).toBe(true);
      expect(budget.tryTake(0 + budget.waitMs(0))).toBe(true);
    }
  });

  it('slows down and comes back', () => {
    const budget = new MessageBudget(
      { messagesPerSecond: 10, messageBurst: 1, messagesPerHour: Infinity },
      0,
    );
    expect(budget.recover(0)).toBe(false);
    budget.slowDown(0);
    expect(budget.tryTake(0)).toBe(true);
    expect(budget.waitMs(0)).toBeCloseTo(200);
    let steps = 1;
    while (budget.recover(0)) steps++;
    expect(steps).toBe(5);
    expect(budget.waitMs(0)).toBeCloseTo(100);
  });
});
