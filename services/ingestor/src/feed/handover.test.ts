import { describe, expect, it } from 'vitest';
import type { HandoverTopic } from './handover.ts';
import { handoverProgress } from './handover.ts';

const topic = (state: HandoverTopic['state'], knows: Partial<HandoverTopic> = {}): HandoverTopic => ({
  confirmed: false,
  rejected: false,
  hasData: false,
  ...knows,
  state,
});
const data = { confirmed: true, hasData: true };

describe('handoverProgress', () => {
  it.each([
    ['an answer is missing', [topic('live', data), topic('acknowledged')], 'waiting'],
    [
      'all acknowledged, live ones without data',
      [topic('live', { confirmed: true }), topic('live', data)],
      'acknowledged',
    ],
    ['all that was live is live', [topic('live', data), topic('acknowledged', { confirmed: true })], 'live'],
    ['what was stale needs no data', [topic('stale', { confirmed: true })], 'live'],
    ['a rejection is an answer', [topic('live', { rejected: true }), topic('live', data)], 'live'],
    [
      'what the old session lacks too holds nothing up',
      [topic('requested'), topic('rejected'), topic('live', data)],
      'live',
    ],
    ['data alone confirms, and is told as confirmed', [topic('acknowledged', data)], 'live'],
  ] as const)('%s', (_, topics, expected) => {
    expect(handoverProgress(topics)).toBe(expected);
  });
});
