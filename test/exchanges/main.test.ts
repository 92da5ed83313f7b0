import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { LedgerEntry } from './ledger.ts';
import { RawClient } from './raw-client.ts';
import { exchangeNames, type SimulatorStats } from './simulator.ts';
import { eventually } from './test-bench.ts';

interface Ready {
  exchange: string;
  ws: string;
  rest: string;
  control: string;
}

const program = fileURLToPath(new URL('main.ts', import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function run(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

async function ready(child: ChildProcess, count: number): Promise<Ready[]> {
  const lines: Ready[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    lines.push(JSON.parse(line) as Ready);
    if (lines.length === count) break;
  }
  return lines;
}

const get = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T;
const post = async (url: string, body: object): Promise<Response> =>
  fetch(url, { method: 'POST', body: JSON.stringify(body) });

describe('simulator process', () => {
  it('hosts all four exchanges and ends on SIGTERM', async () => {
    const child = run('--exchange', 'all', '--symbols', '10');
    const lines = await ready(child, 4);
    expect(lines.map(({ exchange }) => exchange)).toEqual(exchangeNames);
    expect(new Set(lines.flatMap(({ ws, control }) => [ws.slice(3), control.slice(5)])).size).toBe(8);
    for (const { control, exchange } of lines) {
      expect(await get<SimulatorStats>(`${control}/stats`)).toMatchObject({
        exchange,
        running: false,
        violations: {},
      });
    }
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('is steered and read through its control address', async () => {
    const [line] = await ready(
      run('--exchange', 'binance', '--symbols', '10', '--manual', '--limit', 'connects=2'),
      1,
    );
    const { ws, control } = line!;
    const client = await RawClient.open(`${ws}/stream?streams=btcusdt@trade`);
    try {
      expect((await get<SimulatorStats>(`${control}/stats`)).running).toBe(false);
      await post(`${control}/market`, { running: true, rate: 2000 });
      await client.until(() => client.frames.length > 1500);
      const stats = (await (await post(`${control}/market`, { running: false })).json()) as SimulatorStats;
      await client.until(() => client.frames.length === stats.frames);
      const text = await (await fetch(`${control}/ledger?since=3`)).text();
      const entries = text
        .trim()
        .split('\n')
        .map((entry) => JSON.parse(entry) as LedgerEntry);
      expect(entries).toHaveLength(stats.frames - 3);
      expect(entries.map(({ index }) => index)).toEqual(entries.map((_, at) => at + 3));
      const forgetting = await post(`${control}/ledger`, { forgetBefore: stats.frames - 2 });
      expect(await forgetting.json()).toEqual({ forgotten: stats.frames - 2 });
      const gone = await fetch(`${control}/ledger?since=3`);
      expect([gone.status, await gone.text()]).toEqual([400, expect.stringContaining('forgotten entry 3')]);
      const rest = await (await fetch(`${control}/ledger?since=${stats.frames - 2}`)).text();
      expect(rest.trim().split('\n')).toEqual(text.trim().split('\n').slice(-2));
      expect((await post(`${control}/ledger`, { forgetBefore: stats.frames + 1 })).status).toBe(400);
      expect((await post(`${control}/ledger`, {})).status).toBe(400);
      expect(await get<unknown[]>(`${control}/connections`)).toHaveLength(1);
      expect(await get<string[]>(`${control}/symbols`)).toHaveLength(10);
      await RawClient.open(`${ws}/stream`).then((second) => second.end());
      await expect(RawClient.open(`${ws}/stream`)).rejects.toThrow('429');
      await eventually(async () => expect(await get<unknown[]>(`${control}/violations`)).toHaveLength(1));
      const wrong = await post(`${control}/fault`, { kind: 'nope' });
      expect([wrong.status, await wrong.text()]).toEqual([
        400,
        expect.stringContaining('fault.kind must be one of'),
      ]);
      expect(await (await post(`${control}/fault`, { kind: 'drop' })).json()).toEqual({ connections: 1 });
      expect(await client.closed).toBe(1006);
    } finally {
      client.end();
    }
  });

  it.each([
    [['--exchange', 'nope'], '--exchange must be one of'],
    [['--exchange', 'okx', '--rate', 'x'], '--rate must be a number'],
    [['--exchange', 'okx', '--symbols', '0'], 'symbols must be a whole number'],
    [['--exchange', 'okx', '--limit', 'nope=1'], 'no such limit'],
    [['--exchange', 'all', '--port', '1'], 'not with --exchange all'],
  ])('refuses %j', async (args, message) => {
    const child = run(...args);
    let text = '';
    child.stderr!.on('data', (chunk) => (text += String(chunk)));
    const [code] = (await once(child, 'close')) as [number];
    expect([code, text]).toEqual([2, expect.stringContaining(message)]);
  });

  it('explains itself', async () => {
    const child = run('--help');
    let text = '';
    child.stdout!.on('data', (chunk) => (text += String(chunk)));
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(text).toContain('streamsPerConnection');
  });
});
