import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INVALID_TIME, parseEpoch, Rfc3339Parser } from './wire-time.ts';

function epoch(text: string): number {
  const bytes = Buffer.from(`x${text}x`);
  return parseEpoch(bytes, 1, bytes.length - 1);
}

describe('parseEpoch', () => {
  it.each([
    ['1781337600455', 1_781_337_600_455_000],
    ['1781337600455123', 1_781_337_600_455_123],
    ['0', 0],
    ['7258118399999', 7_258_118_399_999_000],
    ['7258118400000', INVALID_TIME],
    ['7258118400000000', INVALID_TIME],
    ['99999999999999', INVALID_TIME],
    ['17813376004551234', INVALID_TIME],
    ['-1', INVALID_TIME],
    ['1.5', INVALID_TIME],
    ['1e12', INVALID_TIME],
    ['', INVALID_TIME],
  ])('%s', (text, micros) => expect(epoch(text)).toBe(micros));
});

describe('Rfc3339Parser', () => {
  const parser = new Rfc3339Parser();
  const read = (text: string): number => {
    const bytes = Buffer.from(`"${text}"`);
    return parser.parse(bytes, 1, bytes.length - 1);
  };

  it('agrees with Date on any time from 1970 to 2200', () => {
    const time = fc.date({ min: new Date(0), max: new Date('2199-12-31T23:59:59Z'), noInvalidDate: true });
    fc.assert(
      fc.property(
        time,
        fc.integer({ min: 0, max: 999_999_999 }),
        fc.integer({ min: 1, max: 9 }),
        (date, nanos, digits) => {
          const second = date.toISOString().slice(0, 19);
          const fraction = nanos.toString().padStart(9, '0').slice(0, digits);
          const expected = Date.parse(`${second}Z`) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
          expect(read(`${second}.${fraction}Z`)).toBe(expected);
        },
      ),
    );
  });

  it.each([
    ['2026-06-13T08:00:00Z', Date.UTC(2026, 5, 13, 8) * 1000],
    ['2026-06-13t08:00:00z', Date.UTC(2026, 5, 13, 8) * 1000],
    ['2026-06-13T08:00:00+02:30', Date.UTC(2026, 5, 13, 5, 30) * 1000],
    ['2026-06-13T23:30:00-01:00', Date.UTC(2026, 5, 14, 0, 30) * 1000],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29) * 1000],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1) * 1000],
    ['1970-01-01T00:00:00.000001Z', 1],
  ])('reads %s', (text, micros) => expect(read(text)).toBe(micros));

  it.each([
    '',
    '2026-06-13',
    '2026-06-13T08:00:00',
    '2026-06-13 08:00:00Z',
    '2026-06-13T08:00:00.Z',
    '2026-06-13T08:00:00.123',
    '2026-06-13T08:00:00.12Zx',
    '2026-06-13T24:00:00Z',
    '2026-06-13T08:60:00Z',
    '2026-06-13T08:00:61Z',
    '2026-06-13T8:00:00.00Z',
    '2026-06-13T08:00:00+24:00',
    '2026-06-13T08:00:00+0100',
    '2026-06-13T08:00:00*01:00',
    '2026-02-29T08:00:00Z',
    '2026-13-01T08:00:00Z',
    '2026-00-01T08:00:00Z',
    '2026-01-00T08:00:00Z',
    '2026/06/13T08:00:00Z',
    '20x6-06-13T08:00:00Z',
    '1969-12-31T23:59:59Z',
    '1970-01-01T00:30:00+01:00',
    '2200-01-01T00:00:00Z',
    '0026-06-13T08:00:00Z',
  ])('refuses %j', (text) => {
    expect(read(text)).toBe(INVALID_TIME);
    // What it remembers of a bad date must not spoil the next.
    expect(read('2026-06-13T08:00:00Z')).toBe(Date.UTC(2026, 5, 13, 8) * 1000);
    expect(read(text)).toBe(INVALID_TIME);
  });
});
