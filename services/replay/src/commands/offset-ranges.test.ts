import { describe, expect, it } from 'vitest';
import { SettingsError } from '../connection/settings-error.ts';
import { OffsetOutOfRangeError } from '../reading/fetch-pool.ts';
import { parseOffsets, rangesOfOffsets } from './offset-ranges.ts';

const BOUNDS = [
  { partition: 0, low: 10, high: 20 },
  { partition: 1, low: 0, high: 0 },
];

function ranges(text: string) {
  return rangesOfOffsets('t', parseOffsets(text), BOUNDS).map(({ partition, start, end }) => [
    partition,
    start,
    end,
  ]);
}

describe('--offsets', () => {
  it('includes both ends, and goes to the ends that are there', () => {
    expect(ranges('0:12-14')).toEqual([[0, 12, 15]]);
    expect(ranges('0:12-, 0:-10')).toEqual([
      [0, 10, 11],
      [0, 12, 20],
    ]);
    expect(ranges('0:19')).toEqual([[0, 19, 20]]);
    expect(ranges('0,1')).toEqual([[0, 10, 20]]);
  });

  it('names what there is when that is less', () => {
    for (const text of ['0:9-12', '0:12-20', '0:20', '0:20-'])
      expect(() => ranges(text)).toThrow(OffsetOutOfRangeError);
    expect(() => ranges('0:5')).toThrow('t partition 0 has no offset 5: it has offsets 10 to 19 now');
    expect(() => ranges('1:3')).toThrow('t partition 1 has no offset 3: it is empty now');
    expect(() => ranges('4')).toThrow('t has no partition 4: it has 0 to 1');
  });

  it('has each offset once, in order', () => {
    expect(ranges('0:15-16,0:12-15,0:19')).toEqual([
      [0, 12, 17],
      [0, 19, 20],
    ]);
    expect(ranges('0:13,0')).toEqual([[0, 10, 20]]);
  });

  it.each(['', ',', 'a', '0:', '0:5-3', '0-5', '0:1-2-3', '-1:3'])('refuses %j', (text) => {
    expect(() => ranges(text)).toThrow(SettingsError);
  });
});
