import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Exchange, ListingError } from '../exchanges/exchange.ts';
import type { Instrument } from '../exchanges/instrument.ts';
import { exchanges } from '../exchanges/registry.ts';
import { checkCommand } from './check.ts';
import type { ExchangeLookup } from './check-listing.ts';
import { planCommand } from './plan.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-check-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function instrument(symbol: string, changes: Partial<Instrument> = {}): Instrument {
  const [base = '', quote = ''] = symbol.split('-');
  return {
    exchange: 'binance',
    symbol,
    exchangeSymbol: `${base}${quote}`,
    kind: 'spot',
    base,
    quote,
    settle: quote,
    status: 'trading',
    nativeStatus: 'TRADING',
    priceIncrement: null,
    quantityIncrement: null,
    contractSize: null,
    inverse: false,
    expiry: null,
    ...changes,
  };
}

/** Exchanges whose listings are these. */
function listing(instruments: readonly Instrument[]): ExchangeLookup {
  const fetchInstruments: Exchange['fetchInstruments'] = () => Promise.resolve([...instruments]);
  return { binance: { ...exchanges.binance, fetchInstruments } };
}

const listed = listing([
  instrument('BTC-USDT'),
  instrument('ETH-USDT'),
  instrument('SOL-USDC'),
  instrument('LUNA-USDT', { status: 'halted' }),
]);

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function configFile(symbols: string, more = ''): string {
  return file(
    'fleet.yaml',
    `shard: {index: 0, count: 3}
exchanges: {binance: {symbols: ${symbols}}}
kafka: {brokers: [localhost:9092]}
registry: {url: http://localhost:8081}
${more}`,
  );
}

type Command = typeof checkCommand;

async function run(
  command: Command,
  argv: readonly string[],
  lookup: ExchangeLookup = listed,
): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const io = {
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    env: {},
    signal: new AbortController().signal,
  };
  const code = await command(argv, io, lookup);
  return { code, out, err };
}

describe('check', () => {
  it('says that a configuration is valid, with counts', async () => {
    const { code, out } = await run(checkCommand, [
      '--config',
      configFile("['*-USDT', LUNA-USDT, SOL-USDC]"),
    ]);
    expect(code).toBe(0);
    // LUNA is halted: its name takes it, the pattern would not.
    expect(out).toBe('binance: 4 symbols (4 listed)\nthe configuration is valid\n');
  });

  it('refuses symbols that are not listed, with the nearest that is', async () => {
    const path = configFile("[BTC-USDT, ETC-USDT, USDC-SOL, '*-EUR']");
    const { code, out } = await run(checkCommand, ['--config', path, '--json']);
    expect(code).toBe(2);
    const { ok, problems } = JSON.parse(out) as {
      ok: boolean;
      problems: { problem: string; nearest: string }[];
    };
    expect(ok).toBe(false);
    expect(problems.map(({ nearest }) => nearest)).toEqual([
      expect.stringMatching(/^(BTC|ETH)-USDT$/),
      'SOL-USDC',
      null,
    ]);
    expect(problems[0]?.problem).toBe('has ETC-USDT, which binance does not list');
    expect(problems[2]?.problem).toContain('fits nothing');
    const text = await run(checkCommand, ['--config', path]);
    expect(text.code).toBe(2);
    expect(text.err).toContain('exchanges.binance.symbols has ETC-USDT');
  });

  it("finds the symbol by the exchange's own name", async () => {
    const lookup = listing([instrument('BTC-USD', { exchangeSymbol: 'XBT-USD' })]);
    const { err } = await run(checkCommand, ['--config', configFile('[XBT-USD]')], lookup);
    expect(err).toContain('Did you mean BTC-USD?');
  });

  it('refuses two instruments of one symbol', async () => {
    const lookup = listing([instrument('BTC-USDT'), instrument('BTC-USDT', { exchangeSymbol: 'BTCUSDT2' })]);
    const { code, err } = await run(checkCommand, ['--config', configFile('[BTC-USDT]')], lookup);
    expect(code).toBe(2);
    expect(err).toContain('BTCUSDT and BTCUSDT2');
  });

  it('does not take an exchange that is silent for one that lists nothing', async () => {
    const fetchInstruments = () => Promise.reject(new ListingError('HTTP 503'));
    const lookup = { binance: { ...exchanges.binance, fetchInstruments } };
    const { code, err } = await run(checkCommand, ['--config', configFile('[BTC-USDT]')], lookup);
    expect(code).toBe(1);
    expect(err).toBe('binance does not answer with its listing: HTTP 503\n');
  });

  it('ends when it is interrupted', async () => {
    const fetchInstruments: Exchange['fetchInstruments'] = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const lookup = { binance: { ...exchanges.binance, fetchInstruments } };
    const stop = new AbortController();
    const io = { stdout: { write: () => 0 }, stderr: { write: () => 0 }, env: {}, signal: stop.signal };
    const argv = ['--config', configFile('[BTC-USDT]')];
    const ended = Promise.all([checkCommand(argv, io, lookup), planCommand(argv, io, lookup)]);
    stop.abort();
    expect(await ended).toEqual([130, 130]);
  });

  it('asks nobody when offline', async () => {
    const fetchInstruments = () => Promise.reject(new Error('was asked'));
    const lookup = { binance: { ...exchanges.binance, fetchInstruments } };
    const { code, out } = await run(
      checkCommand,
      ['--offline', '--config', configFile("[BTC-USDT, '*']")],
      lookup,
    );
    expect(code).toBe(0);
    expect(out).toContain('not compared with the listing');
  });

  it('needs the shard index, unless the configuration is for all pods', async () => {
    const path = file(
      'fleet.yaml',
      'shard: {count: 3}\nexchanges: {binance: {symbols: [BTC-USDT]}}\nkafka: {brokers: [a:1]}\nregistry: {url: https://a}',
    );
    const refused = await run(checkCommand, ['--config', path]);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('shard.index is not set');
    expect((await run(checkCommand, ['--config', path, '--fleet'])).code).toBe(0);
  });

  it('explains itself', async () => {
    const { code, out } = await run(checkCommand, ['--help']);
    expect(code).toBe(0);
    expect(out).toContain('--offline');
    expect(out).toContain('TICKLINE_SHARD_INDEX');
  });
});

interface PlanJson {
  ok: boolean;
  shards: {
    shard: number;
    units: string[];
    exchanges: Record<string, { units: number; topics: number; connections: number }>;
  }[];
}

describe('plan', () => {
  it('gives every unit to one shard and counts topics and connections', async () => {
    const path = configFile("['*']", '');
    const { code, out } = await run(planCommand, [
      '--config',
      path,
      '--json',
      '--exchanges.binance.limits.topicsPerConnection=2',
    ]);
    expect(code).toBe(0);
    const { shards } = JSON.parse(out) as PlanJson;
    expect(shards.map(({ shard }) => shard)).toEqual([0, 1, 2]);
    expect(shards.flatMap(({ units }) => units).sort()).toEqual([
      'binance:BTC-USDT',
      'binance:ETH-USDT',
      'binance:SOL-USDC',
    ]);
    for (const { units, exchanges: loads } of shards) {
      expect(loads.binance).toEqual({
        units: units.length,
        topics: units.length * 2,
        connections: units.length,
      });
    }
  });

  it('prints a table, and the units when asked to', async () => {
    const { code, out } = await run(planCommand, [
      '--offline',
      '--units',
      '--config',
      configFile('[BTC-USDT]'),
    ]);
    expect(code).toBe(0);
    const lines = out.split('\n');
    expect(lines[0]).toMatch(/shard +units +topics +connections +binance/);
    expect(lines.slice(1, 4).filter((line) => /^ +\d +1 +2 +1 +1\/1$/.test(line))).toHaveLength(1);
    expect(out).toContain('  binance:BTC-USDT');
  });

  it('refuses patterns offline, and unknown symbols', async () => {
    const offline = await run(planCommand, ['--offline', '--config', configFile("['*']")]);
    expect(offline.code).toBe(2);
    expect(offline.err).toContain('leave out --offline');
    expect((await run(planCommand, ['--config', configFile('[NOPE-USDT]')])).code).toBe(2);
  });

  it('says when a shard needs more connections than it may have', async () => {
    const argv = ['--offline', '--config', configFile('[A-B, C-D, E-F, G-H]'), '--shard.count=1'];
    const limits = [
      '--exchanges.binance.limits.topicsPerConnection=2',
      '--exchanges.binance.limits.connections=3',
    ];
    const { code, err } = await run(planCommand, [...argv, ...limits]);
    expect(code).toBe(1);
    expect(err).toContain('shard 0 needs 4 connections to binance, but its part of the limit is 3');
  });

  it('says what moves from one configuration to another, and nothing else', async () => {
    const old = file(
      'old.yaml',
      'shard: {count: 3, pins: [{unit: "binance:A-B", shard: 0}]}\nexchanges: {binance: {symbols: [A-B, C-D, OLD-X]}}',
    );
    const now = file(
      'now.yaml',
      'shard: {count: 3, pins: [{unit: "binance:A-B", shard: 2}]}\nexchanges: {binance: {symbols: [A-B, C-D, NEW-X]}}',
    );
    const { code, out } = await run(planCommand, ['--offline', '--from', old, '--config', now, '--json']);
    expect(code).toBe(0);
    const { moves, moved, added, removed } = JSON.parse(out) as {
      moves: { unit: string; from: number[]; to: number[] }[];
      moved: number;
      added: number;
      removed: number;
    };
    expect({ moved, added, removed }).toEqual({ moved: 1, added: 1, removed: 1 });
    expect(moves.find(({ unit }) => unit === 'binance:A-B')).toEqual({
      unit: 'binance:A-B',
      from: [0],
      to: [2],
    });
    expect(moves.find(({ unit }) => unit === 'binance:OLD-X')?.to).toEqual([]);
    const text = await run(planCommand, ['--offline', '--from', old, '--config', now]);
    expect(text.out).toContain('binance:A-B: shard 0 -> shard 2\n');
    expect(text.out).toContain('of 3 units 1 move, 1 are new, 1 are gone\n');
  });

  it('balances by weights into a file that plan itself then obeys', async () => {
    const symbols = Array.from({ length: 40 }, (_, at) => `C${at}-USDT`);
    const base = configFile(`[${symbols.join(', ')}]`);
    const weights = file(
      'weights.csv',
      `unit,weight\n${symbols.map((symbol, at) => `binance:${symbol},${100 / (at + 1)}\n`).join('')}binance:GONE-USDT,5\n`,
    );
    const out = join(folder, 'pins.yaml');
    const balanced = await run(planCommand, [
      '--offline',
      '--config',
      base,
      '--balance',
      weights,
      '--out',
      out,
      '--json',
    ]);
    expect(balanced.code).toBe(0);
    const { added, before, after } = JSON.parse(balanced.out) as {
      added: { unit: string; shard: number }[];
      before: { hottest: number };
      after: { hottest: number };
    };
    expect(added.length).toBeGreaterThan(0);
    expect(after.hottest).toBeLessThan(before.hottest);
    const planned = await run(planCommand, ['--offline', '--config', base, '--config', out, '--json']);
    const { shards } = JSON.parse(planned.out) as PlanJson;
    for (const { unit, shard } of added) expect(shards[shard]?.units).toContain(unit);
    // Over its own file it writes again, over another it does not.
    const again = ['--offline', '--config', base, '--balance', weights, '--out'];
    expect((await run(planCommand, [...again, out])).code).toBe(0);
    const foreign = await run(planCommand, [...again, base]);
    expect(foreign.code).toBe(2);
    expect(foreign.err).toContain('--out');
  });

  it.each([
    ['okx:A-B,x\n', 'line 1: the weight of okx:A-B must be a number'],
    ['unit,weight\nA-B,1\n', 'line 2: must be a unit'],
    ['okx:A-B,1\nokx:A-B,2\n', 'line 2: okx:A-B is there twice'],
    ['{"okx:A-B": -1}', 'must be a number, 0 or more'],
    ['[{"unit": "okx:A-B"}]', 'entry 1: the weight of okx:A-B'],
    ['{', 'is not JSON'],
    ['# nothing\n', 'holds no weights'],
    ['okx:OTHER-B,1\n', 'no unit of the configuration has a weight'],
  ])('refuses the weights %j', async (text, message) => {
    const argv = ['--offline', '--config', configFile('[A-B]'), '--balance', file('weights', text)];
    const { code, err } = await run(planCommand, argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('refuses flags that do not go together', async () => {
    const base = ['--offline', '--config', configFile('[A-B]')];
    for (const flags of [
      ['--out=a'],
      ['--fresh'],
      ['--balance=a', '--measure=5'],
      ['--from=a', '--measure=5'],
      ['--measure=0'],
    ]) {
      expect((await run(planCommand, [...base, ...flags])).code, flags.join(' ')).toBe(2);
    }
  });
});
