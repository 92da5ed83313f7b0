import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/stack/free-port.ts';
import { waitUntil } from '../../scripts/stack/wait-until.ts';
import type { IngestorState, SidecarStatus } from '../../services/sidecar/src/sidecar.ts';
import { checkMetrics } from './promtool.ts';

const PLAYED_INGESTOR = fileURLToPath(new URL('played-ingestor.ts', import.meta.url));
const SIDECAR = fileURLToPath(new URL('../../services/sidecar/src/main.ts', import.meta.url));

let children: ChildProcess[];
let ingestorPort: number;

beforeEach(async () => {
  children = [];
  ingestorPort = await freePort();
});

afterEach(async () => {
  for (const child of children) await end(child, 'SIGKILL');
});

function start(script: string, args: string[]): ChildProcess {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

function startIngestor(producer: string, silences: number): ChildProcess {
  return start(PLAYED_INGESTOR, [String(ingestorPort), producer, String(silences)]);
}

/** Starts `tickline-sidecar run` and resolves with its address, which it logs. */
async function startSidecar(
  ...more: string[]
): Promise<{ child: ChildProcess; url: string; log: () => string }> {
  const child = start(SIDECAR, [
    'run',
    `--ingestor.url=http://127.0.0.1:${ingestorPort}`,
    '--ingestor.pollMs=50',
    '--ingestor.timeoutMs=1500',
    '--ingestor.restartedMs=600000',
    '--listen.port=0',
    ...more,
  ]);
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const url = await waitUntil(async () => /"url":"(http:[^"]+)"/.exec(text)?.[1], {
    what: 'the sidecar to log its address',
    timeoutMs: 30_000,
  });
  return { child, url, log: () => text };
}

async function status(url: string): Promise<SidecarStatus> {
  const answer = await fetch(`${url}/status`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as SidecarStatus;
}

/** Waits until the sidecar tells this state, and checks that its health and metrics say the same. */
async function reach(url: string, state: IngestorState): Promise<SidecarStatus['ingestor']> {
  const { ingestor } = await waitUntil(
    async () => {
      const told = await status(url);
      return told.ingestor.state === state ? told : undefined;
    },
    { what: `the sidecar to say ${state}`, timeoutMs: 30_000, everyMs: 20 },
  );
  const health = await fetch(`${url}/healthz`);
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({ healthy: true, ingestor: { state, since: ingestor.since } });
  const metrics = await samples(url);
  const states = [...metrics].filter(
    ([name, value]) => name.startsWith('tickline_ingestor_state') && value === 1,
  );
  expect(states).toEqual([[`tickline_ingestor_state{state="${state}"}`, 1]]);
  const answers = state === 'up' || state === 'restarted' ? 1 : 0;
  expect(metrics.get('tickline_ingestor_up')).toBe(answers);
  const connection = metrics.get('tickline_connection_up{exchange="kraken",connection="kraken-0"}');
  if (ingestor.status !== null) expect(connection).toBe(answers);
  return ingestor;
}

async function samples(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  expect(checkMetrics(text)).toEqual([]);
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
  );
}

const RECONNECTS =
  'tickline_connection_reconnects_total{exchange="kraken",connection="kraken-0",reason="silence"}';

describe('the sidecar', () => {
  it('tells an ingestor that is gone, hangs or was restarted apart, and keeps its counts', async () => {
    const { child, url, log } = await startSidecar();
    expect((await reach(url, 'unreachable')).reason).toMatch(/the process is gone; it has never answered/);

    const first = startIngestor('first', 3);
    const up = await reach(url, 'up');
    expect(up).toMatchObject({ restarts: 0, status: { producer: 'first', pid: first.pid } });
    expect((await samples(url)).get(RECONNECTS)).toBe(3);
    expect((await samples(url)).get('tickline_shard_info{shard="0",shards="2"}')).toBe(1);

    first.kill('SIGSTOP');
    const hung = await reach(url, 'hung');
    expect(hung.reason).toBe(`127.0.0.1:${ingestorPort} did not answer within 1500 ms`);
    expect(hung.status?.producer).toBe('first');
    const age = 'tickline_connection_data_age_seconds{exchange="kraken",connection="kraken-0"}';
    const older = (await samples(url)).get(age)!;
    await waitUntil(async () => ((await samples(url)).get(age)! > older ? true : undefined), {
      what: 'the data to grow older while the ingestor hangs',
      timeoutMs: 10_000,
    });

    first.kill('SIGCONT');
    expect(await reach(url, 'up')).toMatchObject({ restarts: 0 });

    await end(first, 'SIGKILL');
    const gone = await reach(url, 'unreachable');
    // A question that was on its way when the process ended is broken off; the next one is refused.
    await waitUntil(
      async () => {
        const { reason } = (await status(url)).ingestor;
        return reason === `nothing listens on 127.0.0.1:${ingestorPort}: the process is gone`
          ? reason
          : undefined;
      },
      { what: 'the sidecar to say that the process is gone', timeoutMs: 10_000 },
    );
    expect(gone.status?.producer).toBe('first');
    expect(gone.ageSeconds).toBeGreaterThanOrEqual(0);
    expect((await samples(url)).get(RECONNECTS)).toBe(3);

    const second = startIngestor('second', 2);
    const restarted = await reach(url, 'restarted');
    expect(restarted).toMatchObject({
      restarts: 1,
      lastRestart: {
        from: { producer: 'first', pid: first.pid },
        to: { producer: 'second', pid: second.pid },
      },
      status: { producer: 'second' },
    });
    const metrics = await samples(url);
    expect(metrics.get('tickline_ingestor_restarts_total')).toBe(1);
    expect(metrics.get(RECONNECTS)).toBe(5);

    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    const lines = log()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { event: string; message: string });
    expect(lines.filter(({ event }) => event === 'ingestor-state').map(({ message }) => message)).toEqual(
      ['unreachable', 'up', 'hung', 'up', 'unreachable', 'restarted'].map(
        (state) => `the ingestor’s state is now ${state}`,
      ),
    );
    expect(lines.at(-1)).toMatchObject({ event: 'stopping' });
  });

  it('ends on SIGTERM at once while it waits for an ingestor that hangs', async () => {
    const ingestor = startIngestor('only', 0);
    const { child, url } = await startSidecar('--ingestor.timeoutMs=600000');
    await reach(url, 'up');
    ingestor.kill('SIGSTOP');
    const before = (await status(url)).ingestor.lastAnswerAt;
    await waitUntil(
      async () => {
        const { now, ingestor: told } = await status(url);
        return told.lastAnswerAt! >= before! && now - told.lastAnswerAt! > 500 ? true : undefined;
      },
      { what: 'a poll to be left without an answer', timeoutMs: 30_000 },
    );
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  it('refuses a wrong configuration with exit code 2 and names the key', async () => {
    const child = start(SIDECAR, ['run', '--listen.port=many']);
    let text = '';
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    expect(await once(child, 'close')).toEqual([2, null]);
    expect(text).toContain('listen.port must be an integer, 0 to 65535, is "many"');
  });

  it('explains every key with --help', async () => {
    const child = start(SIDECAR, ['--help']);
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(text).toContain('--ingestor.pollMs=1000');
  });
});
