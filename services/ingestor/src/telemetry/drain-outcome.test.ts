import { describe, expect, it } from 'vitest';
import { DrainOutcome } from './drain-outcome.ts';

/** Long enough that a test which waits for it fails. */
const FOREVER = 600_000;

describe('DrainOutcome', () => {
  it('tells a loss, and resolves when it was read', async () => {
    const outcome = new DrainOutcome();
    expect(outcome.read()).toBe(0);
    outcome.ended(7);
    const told = outcome.told(FOREVER);
    expect(outcome.read()).toBe(7);
    await told;
  });

  it('does not take a reading before the end for one of the loss', async () => {
    const outcome = new DrainOutcome();
    let resolved = false;
    const told = outcome.told(FOREVER).then(() => {
      resolved = true;
    });
    outcome.read();
    await Promise.resolve();
    expect(resolved).toBe(false);
    outcome.ended(1);
    outcome.read();
    await told;
  });

  it('does not wait for a second reading', async () => {
    const outcome = new DrainOutcome();
    outcome.ended(1);
    outcome.read();
    await outcome.told(FOREVER);
  });

  it('waits no longer than it is told to', async () => {
    const outcome = new DrainOutcome();
    outcome.ended(1);
    await outcome.told(1);
    expect(outcome.read()).toBe(1);
  });
});
