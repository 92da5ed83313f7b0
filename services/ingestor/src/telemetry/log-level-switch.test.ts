import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogLevelSwitch } from './log-level-switch.ts';
import type { LogLevel } from './logger.ts';

/** A log that keeps the changes it was told of, as far as its level lets them through. */
class Recorded {
  level: LogLevel;
  readonly told: string[] = [];

  constructor(level: LogLevel) {
    this.level = level;
  }

  setLevel(level: LogLevel): void {
    this.level = level;
  }

  info(_event: string, message: string): void {
    if (this.level === 'info' || this.level === 'debug')
      this.told.push(message.replace(/ until .*/, ' until'));
  }

  warn(event: string, message: string): void {
    if (this.level === 'warn') this.told.push(`warn: ${message}`);
    else this.info(event, `warn: ${message}`);
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('LogLevelSwitch', () => {
  it('changes the level until the next change', () => {
    const log = new Recorded('info');
    const levels = new LogLevelSwitch(log);
    expect(levels.change('error', null, 'test')).toEqual({ level: 'error', was: 'info', until: null });
    vi.advanceTimersByTime(100 * 3_600_000);
    expect(levels.level).toBe('error');
    expect(log.told).toEqual(['the log level is error and was info']);
  });

  it('is logged where neither of the two levels shows the level info', () => {
    const log = new Recorded('warn');
    const levels = new LogLevelSwitch(log);
    levels.change('error', null, 'test');
    levels.change('warn', null, 'test');
    expect(log.told).toEqual([
      'warn: the log level is error and was warn',
      'warn: the log level is warn and was error',
    ]);
  });

  it('goes back after the time that was asked for', () => {
    const log = new Recorded('warn');
    const levels = new LogLevelSwitch(log);
    expect(levels.change('debug', '10m', 'test')).toMatchObject({ until: Date.now() + 600_000 });
    vi.advanceTimersByTime(599_999);
    expect(levels.level).toBe('debug');
    vi.advanceTimersByTime(1);
    expect(levels.level).toBe('warn');
    expect(log.told).toEqual([
      'the log level is debug and was warn until',
      'the log level is warn and was debug',
    ]);
  });

  it('starts the time anew, and goes back to the last level that was meant to stay', () => {
    const levels = new LogLevelSwitch(new Recorded('info'));
    levels.change('debug', '10s', 'test');
    levels.change('debug', '20s', 'test');
    vi.advanceTimersByTime(15_000);
    expect(levels.level).toBe('debug');
    vi.advanceTimersByTime(5_000);
    expect(levels.level).toBe('info');
    levels.change('debug', '10s', 'test');
    levels.change('error', null, 'test');
    vi.advanceTimersByTime(20_000);
    expect(levels.level).toBe('error');
  });

  it('turns debug on and off', () => {
    for (const [configured, off] of [
      ['warn', 'warn'],
      ['debug', 'info'],
    ] as const) {
      const levels = new LogLevelSwitch(new Recorded(configured));
      const seen = [1, 2, 3, 4].map(() => {
        levels.toggleDebug('SIGUSR2');
        return levels.level;
      });
      expect(seen.toSorted()).toEqual(['debug', 'debug', off, off]);
      expect(seen[0]).toBe(configured === 'debug' ? off : 'debug');
    }
  });

  it.each([
    [null, null, 'level must be'],
    ['INFO', null, 'level must be'],
    ['info', '', 'for must be'],
    ['info', '0s', 'for must be'],
    ['info', '25h', 'for must be'],
    ['info', '-5m', 'for must be'],
  ])('refuses level %s for %s', (level, duration, message) => {
    const log = new Recorded('info');
    expect(new LogLevelSwitch(log).change(level, duration, 'test')).toContain(message);
    expect([log.level, log.told]).toEqual(['info', []]);
  });
});
