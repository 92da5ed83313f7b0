import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ManagedProcess, startNode } from '../../scripts/processes/managed-process.ts';
import { freePort } from '../../scripts/stack/free-port.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { marketConnections, type Simulators, startExchanges } from '../support/four-exchanges.ts';
import { podFlags, provision } from '../support/pod.ts';
import { openPage, seen, startBrowser, type WatchedPage } from './browser.ts';

/** Only ends a test that waits in vain. */
const WAIT = { timeout: 60_000 };
const SYMBOLS = 6;

let stack: Stack;
let simulators: Simulators;
let folder: string;
let statusPort: number;
let ingestor: ManagedProcess;
let sidecar: ManagedProcess;
let sidecarUrl: string;
let browser: Browser;
let tab: WatchedPage;
let page: Page;

const options = () => ({
  stack,
  simulators: Object.values(simulators),
  prefix: 'page.',
  flags: ['--topics.partitions=3'],
});

function start(name: string, args: readonly string[]): ManagedProcess {
  const log = join(folder, `${name}.log`);
  writeFileSync(log, '');
  return startNode(name, args, log, new AbortController().signal);
}

function startIngestor(): void {
  ingestor = start('ingestor', [
    'services/ingestor/src/main.ts',
    'run',
    ...podFlags(options()),
    '--shard.index=0',
    `--status.port=${statusPort}`,
    '--metrics.port=0',
  ]);
}

beforeAll(async () => {
  stack = await startStack();
  simulators = await startExchanges({ symbols: SYMBOLS, rate: 200 });
  await provision(options());
  const parent = join(repositoryRoot, '.tickline', 'test-pods');
  mkdirSync(parent, { recursive: true });
  folder = mkdtempSync(join(parent, 'page-'));
  statusPort = await freePort();
  startIngestor();
  sidecar = start('sidecar', [
    'services/sidecar/src/main.ts',
    'run',
    `--ingestor.url=http://127.0.0.1:${statusPort}`,
    '--ingestor.pollMs=250',
    '--ingestor.timeoutMs=2000',
    '--listen.port=0',
  ]);
  sidecarUrl = await sidecar.line(
    (line) => (line.event === 'listening' ? (line.data as { url: string }).url : undefined),
    'listens',
    30_000,
  );
  browser = await startBrowser();
  tab = await openPage(browser, sidecarUrl);
  page = tab.page;
});

afterAll(async () => {
  await browser?.close();
  await sidecar?.stop(10_000);
  await ingestor?.stop(30_000);
  await Promise.all(Object.values(simulators ?? {}).map((simulator) => simulator.close()));
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function says(title: RegExp): Promise<void> {
  await page.getByRole('status').filter({ hasText: title }).waitFor(WAIT);
}

async function cell(table: string, name: string, title: string): Promise<string> {
  const found = page
    .getByRole('table', { name: table })
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name, exact: true }) })
    .locator(`[data-title="${title}"]`);
  return (await seen(found)).replace(/\s+/g, ' ');
}

/** The one state that the sidecar's metrics tell, and what else they say of the ingestor. */
async function metrics(): Promise<{ state: string; up: number; restarts: number; openConnections: number }> {
  const text = await (await fetch(`${sidecarUrl}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    state: [...text.matchAll(/^tickline_ingestor_state\{state="([^"]+)"\} 1$/gm)]
      .map(([, name]) => name)
      .join(),
    up: value('tickline_ingestor_up'),
    restarts: value('tickline_ingestor_restarts_total'),
    openConnections: [...text.matchAll(/^tickline_connection_up\{[^}]*\} 1$/gm)].length,
  };
}

// One story about one pod: each step begins where the one before ended.
it('tells a real pod at work: rates, latencies, acknowledgements of Kafka, units', async () => {
  await says(/^The ingestor is up$/);
  const exchanges = 'Exchanges of this pod';
  for (const exchange of Object.keys(simulators)) {
    await expect
      .poll(async () => Number.parseFloat(await cell(exchanges, exchange, 'Messages/s')), WAIT)
      .toBeGreaterThan(0);
    await expect.poll(() => cell(exchanges, exchange, 'Latency p50'), WAIT).toMatch(/^[\d.]+ ms$/);
    await expect.poll(() => cell(exchanges, exchange, 'Live'), WAIT).toBe(`${SYMBOLS * 2} of ${SYMBOLS * 2}`);
    expect(await cell('Symbols that each shard owns, by exchange', '0', `${exchange} (${SYMBOLS})`)).toBe(
      String(SYMBOLS),
    );
  }
  const outputs = 'Outputs of this pod';
  expect(await cell(outputs, 'kafka', 'State')).toBe('● takes ticks');
  await expect.poll(() => cell(outputs, 'kafka', 'Acknowledged after p50'), WAIT).toMatch(/^[\d.]+ m?s$/);
  expect(await cell(outputs, 'kafka', 'p99')).toMatch(/^[\d.]+ m?s$/);
  expect(await cell(outputs, 'kafka', 'Acknowledged')).toMatch(/^[1-9][\d,]*$/);
  expect(await cell('Pods of the fleet', 'this pod', 'Assignment')).toMatch(/^\w+$/);
  expect(await metrics()).toEqual({ state: 'up', up: 1, restarts: 0, openConnections: 4 });
});

it('tells a reconnect with its reason', async () => {
  const [connection] = marketConnections(simulators.okx).filter(({ end }) => end === null);
  simulators.okx.fault({ kind: 'drop', how: 'reset', connection: connection!.id });
  const lines = page.locator('#timeline').getByRole('listitem');
  await expect
    .poll(() => lines.allInnerTexts(), WAIT)
    .toEqual(expect.arrayContaining([expect.stringMatching(/okx-0 reconnects: \S+/)]));
  const connections = 'Connections of this pod, by exchange';
  await expect.poll(() => cell(connections, 'okx-0', 'Reconnects'), WAIT).toMatch(/^1 × \S/);
  await expect.poll(() => cell(connections, 'okx-0', 'State'), WAIT).toBe('● open');
  await says(/^The ingestor is up$/);
});

it('tells a pod that is stopped from outside: it hangs', async () => {
  process.kill(ingestor.pid, 'SIGSTOP');
  await says(/^The ingestor hangs: its process is there and does not answer$/);
  expect(await metrics()).toEqual({ state: 'hung', up: 0, restarts: 0, openConnections: 0 });
  expect(await cell('Connections of this pod, by exchange', 'okx-0', 'State')).toBe('▲ not known, was open');
  process.kill(ingestor.pid, 'SIGCONT');
  await says(/^The ingestor is up$/);
  expect((await metrics()).restarts).toBe(0);
});

it('tells a pod that is killed: unreachable', async () => {
  ingestor.kill();
  await says(/^The ingestor is unreachable: its process is gone$/);
  expect(await metrics()).toEqual({ state: 'unreachable', up: 0, restarts: 0, openConnections: 0 });
  expect(await cell('Connections of this pod, by exchange', 'okx-0', 'State')).toBe('▲ not known, was open');
});

it('tells a pod that was started again: restarted, at work', async () => {
  startIngestor();
  await says(/^The ingestor was restarted$/);
  expect(await metrics()).toMatchObject({ state: 'restarted', up: 1, restarts: 1 });
  await expect.poll(async () => (await metrics()).openConnections, WAIT).toBe(4);
  await expect.poll(() => seen(page.locator('#detail')), WAIT).toContain(`(pid ${ingestor.pid})`);
});

it('has needed nobody but the sidecar for all that, and complained of nothing', () => {
  expect(tab.requests.filter((url) => new URL(url).origin !== sidecarUrl)).toEqual([]);
  expect(tab.complaints).toEqual([]);
});
