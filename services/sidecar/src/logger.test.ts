import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { createLogger } from './logger.ts';

async function linesOf(write: (logger: ReturnType<typeof createLogger>) => void): Promise<object[]> {
  const stream = new PassThrough();
  const logger = createLogger('info', stream);
  write(logger);
  await logger.close();
  return String(stream.read() ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as object);
}

it('writes JSON lines with stable names, from its level on', async () => {
  const lines = await linesOf((logger) => {
    logger.log('debug', 'hidden', 'x');
    logger.log('info', 'shown', 'a sentence', { reason: 'why', data: { count: 1 } });
    logger.level = 'debug';
    logger.log('debug', 'shown-now', 'x');
  });
  expect(lines).toEqual([
    {
      timestamp: expect.stringMatching(/Z$/),
      level: 'info',
      event: 'shown',
      message: 'a sentence',
      reason: 'why',
      data: { count: 1 },
    },
    { timestamp: expect.any(String), level: 'debug', event: 'shown-now', message: 'x' },
  ]);
});

it('lets the first few of the same line pass and counts the rest', async () => {
  const lines = await linesOf((logger) => {
    for (let time = 0; time < 12; time++) logger.log('warn', 'again', 'the same');
    logger.log('warn', 'again', 'another');
    logger.level = 'debug';
    for (let time = 0; time < 10; time++) logger.log('debug', 'asked-for', 'the same');
  });
  expect(lines).toHaveLength(17);
  expect(lines.at(-1)).toMatchObject({
    event: 'again',
    message: '7 more like this were not logged: the same',
    data: { suppressed: 7 },
  });
});
