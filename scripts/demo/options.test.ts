import { describe, expect, it } from 'vitest';
import { OptionError, readOptions, wantsJson } from './options.ts';

describe('readOptions', () => {
  it('runs until Ctrl-C at the default rate when nothing is said', () => {
    expect(readOptions([], {})).toEqual({
      live: false,
      durationSeconds: null,
      rate: 5_000,
      symbols: 25,
      sinks: ['kafka'],
      json: false,
    });
  });

  it('reads the environment of the Makefile, where an empty value is none', () => {
    expect(readOptions([], { DURATION: '20', RATE: '', JSON: '1' })).toMatchObject({
      durationSeconds: 20,
      rate: 5_000,
      json: true,
    });
    expect(readOptions([], { JSON: '0' })).toMatchObject({ json: false });
  });

  it('lets the command line win over the environment', () => {
    expect(readOptions(['--duration', '2.5', '--rate=800'], { DURATION: '20', RATE: '9' })).toMatchObject({
      durationSeconds: 2.5,
      rate: 800,
    });
  });

  it('reads the sinks, of which redis is two', () => {
    expect(readOptions(['--sinks', 'grpc'], { SINKS: 'kafka' })?.sinks).toEqual(['grpc']);
    expect(readOptions(['--live'], { SINKS: 'redis,kafka' })?.sinks).toEqual([
      'kafka',
      'redisStreams',
      'redisPubSub',
    ]);
  });

  it('knows the help', () => {
    expect(readOptions(['--help'], { RATE: 'x' })).toBeNull();
  });

  it.each([
    [['--duration', '-1'], {}, '--duration'],
    [['--rate', '1.5'], {}, '--rate=1.5'],
    [['--rate', '0'], {}, '--rate=0'],
    [['--rat', '5'], {}, "'--rat'"],
    [['extra'], {}, 'extra'],
    [[], { RATE: 'fast' }, 'RATE=fast'],
    [[], { JSON: 'maybe' }, 'JSON=maybe'],
    [[], { SINKS: 'kafka,nats' }, 'SINKS=kafka,nats'],
    [['--sinks', ''], {}, '--sinks='],
    [['--live', '--rate', '10'], {}, '--rate'],
    [['--live'], { SYMBOLS: '3' }, 'SYMBOLS'],
  ])('refuses %j with %j and names the option', (args, environment, name) => {
    expect(() => readOptions(args, environment)).toThrow(OptionError);
    expect(() => readOptions(args, environment)).toThrow(name);
  });
});

describe('wantsJson', () => {
  it('answers even when other options are wrong', () => {
    expect(wantsJson(['--bad', '--json'], {})).toBe(true);
    expect(wantsJson([], { JSON: '1' })).toBe(true);
    expect(wantsJson([], { JSON: '0' })).toBe(false);
    expect(wantsJson([], {})).toBe(false);
  });
});
