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

it('pauses for a queue although another one has been full for long', () => {
  const backpressure = new Backpressure(() => [feed], MAX_PAUSE_MS);
  backpressure.sinkFull('dead');
  vi.advanceTimersByTime(MAX_PAUSE_MS);
  expect(calls).toEqual(['pause', 'resume']);
  backpressure.sinkFull('kafka');
  expect(calls).toEqual(['pause', 'resume', 'pause']);
  backpressure.sinkDrained('kafka');
  expect(calls).toEqual(['pause', 'resume', 'pause', 'resume']);
});

it('never pauses for longer than the longest pause, whoever joins it', () => {
  const backpressure = new Backpressure(() => [feed], MAX_PAUSE_MS);
  backpressure.sinkFull('kafka');
  vi.advanceTimersByTime(MAX_PAUSE_MS - 1);
  backpressure.sinkFull('other');
  expect(calls).toEqual(['pause']);
  vi.advanceTimersByTime(1);
  expect(calls).toEqual(['pause', 'resume']);
});

it('pauses no more once the pod stops', () => {
  const backpressure = new Backpressure(() => [feed], MAX_PAUSE_MS);
  backpressure.release();
  backpressure.sinkFull('kafka');
  expect(calls).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
