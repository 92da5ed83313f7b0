import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSpan, formatTime, isoMicros, localMicros, parseSpan, parseTime, TimeError } from './time.ts';

const NOW = Date.parse('2026-11-20T14:30:00.250Z');

function utc(text: string): number {
  return parseTime(text, NOW, false);
}

describe('parseTime', () => {
  it('takes ISO times with and without seconds, fractions and zones', () => {
    const at = Date.parse('2026-11-20T14:00:00Z') * 1000;
    expect(utc('2026-11-20T14:00Z')).toBe(at);
    expect(utc('2026-11-20T14:00')).toBe(at);
    expect(utc('2026-11-20 14:00:00')).toBe(at);
    expect(utc('2026-11-20T15:00+01:00')).toBe(at);
    expect(utc('2026-11-20T08:30-0530')).toBe(at);
    expect(utc('2026-11-20T14:00:00.5Z')).toBe(at + 500_000);
    expect(utc('2026-11-20T14:00:00.123456789z')).toBe(at + 123_456);
    expect(utc('2026-11-20')).toBe(Date.parse('2026-11-20T00:00:00Z') * 1000);
  });

  it('takes spans before now, now itself, and milliseconds since 1970', () => {
    expect(utc('now')).toBe(NOW * 1000);
    expect(utc('-5m')).toBe((NOW - 300_000) * 1000);
    expect(utc('-1h30m')).toBe((NOW - 5_400_000) * 1000);
    expect(utc('-1.5s')).toBe((NOW - 1500) * 1000);
    expect(utc('-2d')).toBe((NOW - 2 * 86_400_000) * 1000);
    expect(utc(String(NOW))).toBe(NOW * 1000);
  });

  it('reads a time without zone by the machine’s clock when asked to', () => {
    const local = new Date(2026, 10, 20, 14, 5).getTime() * 1000;
    expect(parseTime('2026-11-20T14:05', NOW, true)).toBe(local);
    expect(parseTime('2026-11-20T14:05Z', NOW, true)).toBe(Date.parse('2026-11-20T14:05:00Z') * 1000);
  });

  it.each([
    '',
    '5m',
    '-5',
    '-5y',
    'yesterday',
    '2026-13-01',
    '2026-02-30',
    '2026-11-20T25:00Z',
    '12345',
    '2026-11-20T14',
  ])('refuses %j', (text) => {
    expect(() => utc(text)).toThrow(TimeError);
  });

  it('reads back what is written, in UTC and local', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000_000 }), (micros) => {
        expect(utc(isoMicros(micros))).toBe(micros);
        expect(utc(localMicros(micros))).toBe(micros);
      }),
    );
  });
});

describe('parseSpan', () => {
  it('takes one or several units', () => {
    expect([parseSpan('5s'), parseSpan('250ms'), parseSpan('1m30s'), parseSpan('0s')]).toEqual([
      5000, 250, 90_000, 0,
    ]);
    for (const text of ['', '5', 's', '-5s', '5s ', '1ms2s'])
      expect(() => parseSpan(text)).toThrow(TimeError);
  });
});

describe('formatTime', () => {
  it('writes relative times to both sides', () => {
    expect(formatTime((NOW - 1250) * 1000, 'relative', NOW)).toBe('1.250s ago');
    expect(formatTime((NOW + 90_000) * 1000, 'relative', NOW)).toBe('1m30s ahead');
    expect(formatTime(NOW * 1000 + 7, 'utc', NOW)).toBe('2026-11-20T14:30:00.250007Z');
  });

  it('leaves a number that is no time of the calendar', () => {
    for (const style of ['utc', 'local'] as const) {
      expect(formatTime(2 ** 63, style, NOW)).toBe('9223372036854776000');
    }
  });

  it('writes spans in two units', () => {
    expect([0, 59_999, 60_000, 3_600_000, 90_000_000].map(formatSpan)).toEqual([
      '0.000s',
      '59.999s',
      '1m00s',
      '1h00m',
      '1d01h',
    ]);
  });
});
