import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Quote, Trade } from '@tickline/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonFolder } from '../../scripts/setup.ts';
import { freePort } from '../../scripts/stack/free-port.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { entry, SimulatedPod } from '../../services/ingestor/src/sinks/grpc/testing/simulated-pod.ts';

const run = promisify(execFile);
const folder = join(repositoryRoot, '.tickline', 'grpc-examples');
const example = (path: string) => join(repositoryRoot, 'examples', path);
const python = process.env.TICKLINE_TEST_PYTHON ?? join(pythonFolder, 'bin/python');
const hasGo = spawnSync('go', ['version']).status === 0;

let pods: SimulatedPod[];
let trades: Trade[];
let quotes: Quote[];

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  const entries = [
    entry('binance', 'BTC-USDT', [0]),
    entry('okx', 'BTC-USDT', [1]),
    entry('kraken', 'ETH-USD', [1]),
  ];
  const ports = [await freePort(), await freePort()];
  const peerAddress = ports.map((port) => `127.0.0.1:${port}`).join(',');
  const [first, second] = await Promise.all([
    SimulatedPod.start({ port: ports[0]!, peerAddress }, entries, { index: 0, count: 2 }),
    SimulatedPod.start({ port: ports[1]!, peerAddress }, entries, { index: 1, count: 2 }),
  ]);
  pods = [first, second];
  trades = [
    first.trade('binance', 'BTC-USDT', {
      price: '0.000000000000000001',
      quantity: '99999999999999999999.999999999999999999',
      exchangeTime: null,
      side: 'sell',
    }),
    second.trade('okx', 'BTC-USDT', { contracts: '12.5', fillCount: 3, tradeId: 'ü-7' }),
    second.trade('kraken', 'ETH-USD'),
  ];
  quotes = [
    first.quote('binance', 'BTC-USDT', { bidPrice: null, bidQuantity: null, updateId: null }),
    second.quote('okx', 'BTC-USDT', { askContracts: '1', bidContracts: '0.1' }),
    second.quote('kraken', 'ETH-USD'),
  ];
});

afterAll(async () => {
  await Promise.all((pods ?? []).map((pod) => pod.stop()));
  rmSync(folder, { recursive: true, force: true });
});

interface Example {
  readonly language: string;
  /** Program and its first arguments; made ready before. */
  readonly command: () => Promise<readonly string[]>;
  readonly flag: string;
  /** A printed line as the record that it is. */
  readonly record: (line: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
}

const asPrinted: Example['record'] = ({ kind: _kind, ...fields }) => fields;

const examples: Example[] = [
  {
    language: 'TypeScript',
    command: () => Promise.resolve([process.execPath, example('typescript-grpc/read-ticks.ts')]),
    flag: '--',
    record: asPrinted,
  },
  {
    language: 'Python',
    async command() {
      if (!existsSync(python)) throw new Error('no Python with grpcio: run node scripts/setup.ts tests');
      await run(python, [example('python-grpc/generate.py'), join(folder, 'python')]);
      return [python, example('python-grpc/read_ticks.py')];
    },
    flag: '--',
    record: (line) =>
      Object.fromEntries(
        Object.entries(asPrinted(line)).map(([name, value]) => [
          name.replace(/_micros$/, '').replace(/_(.)/g, (_all, letter: string) => letter.toUpperCase()),
          value,
        ]),
      ),
  },
  {
    language: 'Go',
    async command() {
      const program = join(folder, 'read-ticks');
      await run('go', ['build', '-o', program, '.'], { cwd: example('go-grpc') });
      return [program];
    },
    flag: '-',
    record: asPrinted,
  },
];

describe.each(examples)('the example in $language', ({ language, command, flag, record }) => {
  // Go is no part of the setup: where it is missing, this example is not run.
  it.runIf(language !== 'Go' || hasGo)(
    'reads from both pods, digit for digit, and says why when it can not',
    async () => {
      const [program, ...first] = await command();
      const env = { ...process.env, TICKLINE_STUBS: join(folder, 'python') };
      const read = (symbols: string, count: number) =>
        run(
          program!,
          [
            ...first,
            `${flag}address`,
            pods[0]!.address,
            `${flag}symbols`,
            symbols,
            `${flag}last-value-first`,
            `${flag}count`,
            String(count),
          ],
          { env, timeout: 60_000 },
        );
      const { stdout } = await read('BTC-*,ETH-USD', 6);
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      const came = lines.map((line) => ({ kind: line.kind, ...record(line) }));
      expect(came.length).toBe(6);
      expect(came).toEqual(
        expect.arrayContaining([
          ...trades.map((trade) => ({ kind: 'trade', ...trade })),
          ...quotes.map((quote) => ({ kind: 'quote', ...quote })),
        ]),
      );
      await expect(read('DOGE-*', 1)).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining('no symbol of the configuration fits "DOGE-*"'),
      });
    },
  );
});
