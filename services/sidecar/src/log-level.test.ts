import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LevelSwitch, readLevelRequest } from './log-level.ts';
import { createLogger } from './logger.ts';

describe('readLevelRequest', () => {
  it.each([
    ['level=debug', { level: 'debug', forMs: null }],
    ['level=error&for=90s', { level: 'error', forMs: 90_000 }],
    ['level=info&for=24h', { level: 'info', forMs: 86_400_000 }],
    ['', 'level must be one of error, warn, info, debug.'],
    ['level=loud', 'level must be one of error, warn, info, debug.'],
    ['level=info&for=', 'for must be a time such as 30s, 10m or 2h, at most 24h.'],
    ['level=info&for=0s', 'for must be a time such as 30s, 10m or 2h, at most 24h.'],
    ['level=info&for=25h', 'for must be a time such as 30s, 10m or 2h, at most 24h.'],
    ['level=info&for=10', 'for must be a time such as 30s, 10m or 2h, at most 24h.'],
  ])('reads %j', (query, wanted) => {
    expect(readLevelRequest(new URLSearchParams(query))).toEqual(wanted);
  });
});

describe('LevelSwitch', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const start = (level: 'info' | 'debug' = 'info') => {
    const logger = createLogger(level, new PassThrough());
    return { logger, change: new LevelSwitch(logger) };
  };

  it('changes for good', () => {
    const { logger, change } = start();
    expect(change.change({ level: 'warn', forMs: null })).toEqual({
      level: 'warn',
      until: null,
      was: 'info',
    });
    vi.advanceTimersByTime(1e9);
    expect(logger.level).toBe('warn');
  });

  it('goes back after the time to what was there before the first change for a time', () => {
    const { logger, change } = start();
    change.change({ level: 'debug', forMs: 1_000 });
    expect(change.read()).toEqual({ level: 'debug', until: Date.now() + 1_000 });
    vi.advanceTimersByTime(500);
    change.change({ level: 'error', forMs: 1_000 });
    vi.advanceTimersByTime(999);
    expect(logger.level).toBe('error');
    vi.advanceTimersByTime(1);
    expect(change.read()).toEqual({ level: 'info', until: null });
  });

  it('turns debug on and off, back to what was there', () => {
    const { logger, change } = start();
    change.change({ level: 'warn', forMs: null });
    change.toggleDebug();
    expect(logger.level).toBe('debug');
    change.toggleDebug();
    expect(logger.level).toBe('warn');
    const always = start('debug');
    always.change.toggleDebug();
    expect(always.logger.level).toBe('info');
  });
});
