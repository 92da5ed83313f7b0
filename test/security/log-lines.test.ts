import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { type Simulator, startSimulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { type Pod, provision, startPod } from '../support/pod.ts';

let stack: Stack;
let simulator: Simulator;
let pod: Pod;

beforeAll(async () => {
  stack = await startStack();
  simulator = await startSimulator({ exchange: 'okx', symbols: 20, rate: 4_000, start: 'manual' });
  const options = { stack, simulators: [simulator], flags: ['--topics.partitions=2'] };
  await provision(options);
  pod = await startPod(options);
});

afterAll(async () => {
  pod?.process.kill();
  await simulator?.close();
  await stack?.stop();
});

async function level(query = ''): Promise<unknown> {
  const method = query === '' ? 'GET' : 'PUT';
  return (await fetch(`${pod.statusUrl}/log-level${query}`, { method })).json();
}

describe('the log of a running pod', () => {
  it('has no line for a message, at the level debug neither', async () => {
    expect(await level('?level=debug')).toEqual({ level: 'debug', was: 'info', until: null });
    await pod.until('it is ready', ({ ready }) => ready);
    const before = readFileSync(pod.process.logFile, 'utf8').split('\n').length;
    simulator.startMarket();
    const { exchanges } = await pod.until(
      '20,000 messages',
      ({ exchanges: [okx] }) => okx!.messages > 20_000,
    );
    simulator.stopMarket();
    const lines = readFileSync(pod.process.logFile, 'utf8').split('\n').length - before;
    expect(exchanges[0]!.ticks).toBeGreaterThan(10_000);
    expect(lines).toBeLessThan(50);
  });

  it('is JSON, a line each, with the fields that docs/logging.md names', () => {
    const documented = new Set(
      [...readFileSync('docs/logging.md', 'utf8').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name),
    );
    const text = readFileSync(pod.process.logFile, 'utf8').trimEnd();
    expect(pod.log()).toHaveLength(text.split('\n').length);
    for (const line of pod.log()) {
      expect(Object.keys(line).slice(0, 4)).toEqual(['timestamp', 'level', 'event', 'message']);
      expect(Object.keys(line).filter((name) => !documented.has(name))).toEqual([]);
      expect(line.event).toMatch(/^[a-z][a-z-]+$/);
    }
  });

  it('changes its level by the status server, for a while, and by SIGUSR2', async () => {
    expect(await level('?level=info')).toMatchObject({ level: 'info', was: 'debug' });
    expect(await level('?level=debug&for=1s')).toMatchObject({ level: 'debug', until: expect.any(Number) });
    await eventually('the time is over', async () => JSON.stringify(await level()) === '{"level":"info"}');
    process.kill(pod.process.pid, 'SIGUSR2');
    await eventually('debug is on', async () => JSON.stringify(await level()) === '{"level":"debug"}');
    process.kill(pod.process.pid, 'SIGUSR2');
    await eventually('debug is off', async () => JSON.stringify(await level()) === '{"level":"info"}');
    const changes = pod.log().filter(({ event }) => event === 'log-level');
    expect(changes.map(({ level: at, reason }) => [at, reason])).toEqual([
      ['info', 'the status server'],
      ['info', 'the status server'],
      ['info', 'the status server'],
      ['info', 'the time is over'],
      ['info', 'SIGUSR2'],
      ['info', 'SIGUSR2'],
    ]);
  });

  it('answers probes on the metrics listener, and nothing that changes anything', async () => {
    const ask = async (path: string, method = 'GET') => {
      const answer = await fetch(`${pod.metricsUrl}${path}`, { method });
      return [answer.status, await answer.text()];
    };
    expect(await ask('/livez')).toEqual([200, 'live\n']);
    expect(await ask('/readyz')).toEqual([200, 'ready\n']);
    expect((await ask('/log-level?level=error', 'PUT'))[0]).toBe(404);
  });
});
