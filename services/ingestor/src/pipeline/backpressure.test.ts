import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Backpressure } from './backpressure.ts';

const MAX_PAUSE_MS = 5_000;

const calls: string[] = [];
const feed = { pause: () => calls.push('pause'), resume: () => calls.push('resume') };

beforeEach(() => {
  calls.length = 0;
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('pauses when a queue is full, and resumes when the last full queue has drained', () => {
  const backpressure = new Backpressure(() => [feed], MAX_PAUSE_MS);
  backpressure.sinkFull('kafka');
  backpressure.sinkFull('other');
  expect(calls).toEqual(['pause']);
  backpressure.sinkDrained('kafka');
  expect(calls).toEqual(['pause']);
  backpressure.sinkDrained('other');
  expect(calls).toEqual(['pause', 'resume']);
});

it('reads on after the longest pause, and pauses again only after the queue has drained', () => {
  const backpressure = new Backpressure(() => [feed], MAX_PAUSE_MS);
  backpressure.sinkFull('kafka');
  vi.advanceTimersByTime(MAX_PAUSE_MS);
  expect(calls).toEqual(['pause', 'resume']);
  backpressure.sinkFull('kafka');
  expect(calls).toEqual(['pause', 'resume']);
  backpressure.sinkDrained('kafka');
  backpressure.sinkFull('kafka');
  expect(calls).toEqual(['pause', 'resume', 'pause']);
  backpressure.release();
  expect(calls).toEqual(['pause', 'resume', 'pause', 'resume']);
});
