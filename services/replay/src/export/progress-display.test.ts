import { describe, expect, it } from 'vitest';
import { ExportMeter } from './export-meter.ts';
import { progressDisplay } from './progress-display.ts';

const at = (offsetsDone: number, records = offsetsDone) => ({
  offsetsDone,
  offsetsTotal: 10_000,
  records,
  skipped: 0,
});

describe('the rate of an export', () => {
  it('is that of the last seconds, and says how long the rest takes', () => {
    const meter = new ExportMeter();
    expect(meter.rate(at(0), 0)).toEqual({ recordsPerSecond: 0, secondsLeft: null });
    expect(meter.rate(at(1000, 500), 1000)).toEqual({ recordsPerSecond: 500, secondsLeft: 9 });
    for (let second = 2; second <= 20; second++) meter.rate(at(1000 + second * 100), second * 1000);
    const { recordsPerSecond, secondsLeft } = meter.rate(at(3100), 21_000);
    expect(recordsPerSecond).toBe(100);
    expect(secondsLeft).toBe(69);
  });
});

describe('progress where there is no terminal', () => {
  it('is a line every ten seconds, notes at once', () => {
    let now = 0;
    let written = '';
    const display = progressDisplay({ write: (text) => (written += text) }, () => now);
    for (; now <= 21_000; now += 500) display.update(at(now / 10));
    display.note('skipped 1');
    display.stop();
    expect(written).toBe(
      '10 % | 1,000 records | 100 records/s | 1:30 left\n20 % | 2,000 records | 100 records/s | 1:20 left\nskipped 1\n',
    );
  });
});
