import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLogger, describeError, type LogLevel, type RootLogger } from './logger.ts';
import { createRedactor, REDACTED } from './redactor.ts';

/** A log into memory. */
function open(options: { level?: LogLevel; secrets?: string[]; limit?: number; lineLimit?: number } = {}): {
  log: RootLogger;
  lines: () => Promise<Record<string, unknown>[]>;
} {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const log = createLogger({
    level: options.level ?? 'info',
    stream,
    redact: createRedactor(options.secrets ?? []),
    repeats: { limit: options.limit ?? 5, intervalMs: 60_000, keys: 10 },
    lines: { limit: options.lineLimit ?? 20, intervalMs: 60_000, keys: 10 },
  });
  const lines = async () => {
    await log.close();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { log, lines };
}

describe('createLogger', () => {
  it('writes one JSON object a line, its fields in a fixed order', async () => {
    const { log, lines } = open();
    log.info('subscribed', 'all topics are acknowledged', {
      data: { topics: 12 },
      symbol: 'BTC-USDT',
      exchange: 'binance',
      connection: 'binance-0',
      session: 'abc',
      channel: 'trades',
      reason: 'start',
      error: new Error('none'),
    });
    const [line] = await lines();
    expect(Object.keys(line!)).toEqual([
      'timestamp',
      'level',
      'event',
      'message',
      'exchange',
      'connection',
      'session',
      'channel',
      'symbol',
      'reason',
      'error',
      'data',
    ]);
    expect(line).toMatchObject({
      level: 'info',
      event: 'subscribed',
      message: 'all topics are acknowledged',
      error: 'none',
      data: { topics: 12 },
    });
    expect(new Date(line!.timestamp as string).toISOString()).toBe(line!.timestamp);
  });

  it('writes what is at its level or more severe', async () => {
    const { log, lines } = open({ level: 'warn' });
    log.debug('d', 'x');
    log.info('i', 'x');
    log.warn('w', 'x');
    log.error('e', 'x');
    expect((await lines()).map((line) => [line.level, line.event])).toEqual([
      ['warn', 'w'],
      ['error', 'e'],
    ]);
  });

  it('gives a child’s fields to each of its lines, also to its own children', async () => {
    const { log, lines } = open();
    const child = log.child({ exchange: 'okx' }).child({ connection: 'okx-1' });
    child.warn('lost', 'the socket was closed', { reason: 'silence' });
    log.info('other', 'not of the child');
    const [first, second] = await lines();
    expect(first).toMatchObject({ exchange: 'okx', connection: 'okx-1', reason: 'silence' });
    expect(second).not.toHaveProperty('exchange');
  });

  it('takes secrets out of message, fields, data and errors', async () => {
    const { log, lines } = open({ secrets: ['hunter22'] });
    log.error('e', 'login with hunter22 failed', {
      reason: 'hunter22?',
      error: new Error('bad', { cause: new Error('hunter22 is wrong') }),
      data: { url: 'sasl://u:hunter22@h' },
    });
    const [line] = await lines();
    expect(JSON.stringify(line)).not.toContain('hunter22');
    expect(line).toMatchObject({
      message: `login with ${REDACTED} failed`,
      error: `bad: ${REDACTED} is wrong`,
      data: { url: `sasl://u:${REDACTED}@h` },
    });
  });

  it('keeps the time and level readable whatever a secret is', async () => {
    const { log, lines } = open({ secrets: ['2', 'info'] });
    log.info('e', 'number 2');
    const [line] = await lines();
    expect(Number.isNaN(Date.parse(line!.timestamp as string))).toBe(false);
    expect(line).toMatchObject({ level: 'info', message: `number ${REDACTED}` });
  });

  it('tells at the end what the limit of repeats held back', async () => {
    const { log, lines } = open({ limit: 2 });
    for (let n = 0; n < 10; n++) {
      if (log.admits('bad-frame', 'okx')) log.warn('bad-frame', `frame ${n}`);
    }
    const written = await lines();
    expect(written.map((line) => line.message)).toEqual([
      'frame 0',
      'frame 1',
      '8 more like this about okx were not logged',
    ]);
    expect(written[2]).toMatchObject({ event: 'bad-frame', data: { key: 'okx', suppressed: 8 } });
  });

  it('tells how many lines alike were held back, whoever wrote them', async () => {
    const { log, lines } = open({ lineLimit: 2 });
    const [one, two] = ['okx-1', 'okx-2'].map((connection) => log.child({ exchange: 'okx', connection }));
    for (let n = 0; n < 10; n++) one!.warn('lost', `${n}`);
    two!.info('lost', 'another connection');
    one!.info('opened', 'another event');
    const written = await lines();
    expect(written.map((line) => line.message)).toEqual([
      '0',
      '1',
      'another connection',
      'another event',
      '8 more like this about okx-1 were not logged',
    ]);
    expect(written[4]).toMatchObject({ event: 'lost', level: 'warn', data: { key: 'okx-1', suppressed: 8 } });
  });

  it('holds nothing back at the level debug', async () => {
    const { log, lines } = open({ level: 'debug', lineLimit: 2 });
    for (let n = 0; n < 10; n++) log.debug('step', `${n}`);
    expect(await lines()).toHaveLength(10);
  });

  it('changes its level while it is open', async () => {
    const { log, lines } = open();
    log.debug('a', 'x');
    log.setLevel('debug');
    log.child({}).debug('b', 'x');
    log.setLevel('error');
    log.warn('c', 'x');
    expect(log.level).toBe('error');
    expect((await lines()).map((line) => line.event)).toEqual(['b']);
  });

  it('survives a reader that went away', async () => {
    const stream = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
      },
    });
    const log = createLogger({ level: 'info', stream, redact: (text) => text });
    log.info('a', 'one');
    log.info('b', 'two');
    await expect(log.close()).resolves.toBeUndefined();
  });
});

describe('describeError', () => {
  it('joins the causes and leaves stacks out', () => {
    const error = new Error('no answer', { cause: new Error('ECONNREFUSED') });
    expect(describeError(error)).toBe('no answer: ECONNREFUSED');
    expect(describeError('text')).toBe('text');
  });

  it('ends on a ring of causes', () => {
    const error = new Error('ring');
    error.cause = error;
    expect(describeError(error).length).toBeLessThan(100);
  });
});
