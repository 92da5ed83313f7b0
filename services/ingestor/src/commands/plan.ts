import { EXCHANGES } from '@tickline/schemas';
import {
  type CommandLine,
  ConfigError,
  type ConfigProblem,
  configHelp,
  type FleetConfig,
  loadSections,
  problemText,
  readCommandLine,
} from '../config.ts';
import { exchanges as registry } from '../exchanges/registry.ts';
import { RegistryLoginError } from '../registry-client.ts';
import { type Balanced, balance } from '../sharding/balance.ts';
import { assumeSymbols, type ExchangeLookup, type ListedSymbols, listSymbols } from './check-listing.ts';
import { type CommandIo, EXIT_INTERRUPTED, EXIT_REFUSED } from './command-io.ts';
import { KafkaRefusedError } from './kafka-access.ts';
import { type Move, movesBetween, ownersOfUnits, type ShardLoad, shardLoads } from './plan-layout.ts';
import { measureTrades } from './plan-measure.ts';
import { ForeignFileError, pinsYaml, writePinsFile } from './plan-pins-file.ts';
import { readWeights, WeightsError } from './plan-weights.ts';

/** Exit codes of `plan`. */
export const PLAN_EXIT = {
  right: 0,
  /** An exchange or Kafka did not answer, or a shard needs more connections than it may have. */
  failed: 1,
  /** The configuration is wrong, names a symbol that its exchange does not list, or is refused by Kafka. */
  refused: EXIT_REFUSED,
} as const;

const HELP = `tickline-ingestor plan: which shard owns what, what moves, and how to balance

  tickline-ingestor plan --config FILE [--config FILE …] [--KEY=VALUE …]

  --units            name every unit, not only how many
  --from OLD         say what moves from this configuration (a file or a folder) to the one given
  --balance WEIGHTS  pin heavy units so that no shard carries much more than the mean. WEIGHTS is CSV
                     (unit,weight) or JSON; any measure of load will do
  --measure SECONDS  the same, with weights from counting the topic of trades for so long
  --out FILE         where the pins go, as a file for another --config; otherwise they are printed
  --fresh            with --balance or --measure: forget the pins that are configured
  --offline          do not ask the exchanges (symbols must be named, without *)
  --json             the result as one JSON document

No shard.index is needed. Exit codes: 0 done; 1 an exchange or Kafka did not answer, or a shard needs
more connections than its part of the exchange's limit; 2 the configuration is refused.

`;

type PlanConfig = Pick<FleetConfig, 'shard' | 'exchanges' | 'limitsSharedBy'>;

/** A reason to end with a message and an exit code. */
class PlanFailure extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** `tickline-ingestor plan`. Resolves with one of {@link PLAN_EXIT}. */
export async function planCommand(
  argv: readonly string[],
  io: CommandIo,
  exchanges: ExchangeLookup = registry,
): Promise<number> {
  const line = readCommandLine(argv, {
    units: 'switch',
    from: 'value',
    balance: 'value',
    measure: 'value',
    out: 'value',
    fresh: 'switch',
    offline: 'switch',
    json: 'switch',
  });
  if (line.help) {
    io.stdout.write(`${HELP}${configHelp()}`);
    return PLAN_EXIT.right;
  }
  try {
    return await plan(line, io, exchanges);
  } catch (error) {
    if (io.signal.aborted) return EXIT_INTERRUPTED;
    if (error instanceof ConfigError || error instanceof WeightsError || error instanceof ForeignFileError) {
      io.stderr.write(`${error.message}\n`);
      return PLAN_EXIT.refused;
    }
    if (!(error instanceof PlanFailure)) throw error;
    io.stderr.write(`${error.message}\n`);
    return error.code;
  }
}

async function plan(line: CommandLine, io: CommandIo, exchanges: ExchangeLookup): Promise<number> {
  checkFlags(line);
  const config = loadSections(line, io.env, ['shard', 'exchanges', 'limitsSharedBy']);
  const listed = await symbolsOf(config, line, io, exchanges);
  if (line.flags.has('balance') || line.flags.has('measure')) return balancePlan(config, listed, line, io);
  const from = line.flags.get('from');
  if (from !== undefined) {
    // The former configuration stands for itself: today's flags and variables are not its.
    const oldLine = { ...line, files: [from], settings: new Map() };
    const oldConfig = loadSections(oldLine, {}, ['shard', 'exchanges', 'limitsSharedBy']);
    const oldListed = await symbolsOf(oldConfig, line, io, exchanges, true);
    const moves = movesBetween(ownersOfUnits(oldConfig, oldListed), ownersOfUnits(config, listed));
    io.stdout.write(
      line.flags.has('json') ? `${JSON.stringify(movesJson(moves))}\n` : movesText(moves, listed),
    );
    return PLAN_EXIT.right;
  }
  const loads = shardLoads(config, listed, exchanges);
  const crowded = crowdedShards(loads);
  io.stdout.write(
    line.flags.has('json')
      ? `${JSON.stringify(loadsJson(loads, crowded))}\n`
      : loadsText(loads, line.flags.has('units')),
  );
  for (const text of crowded) io.stderr.write(`${text}\n`);
  return crowded.length > 0 ? PLAN_EXIT.failed : PLAN_EXIT.right;
}

function checkFlags({ flags }: CommandLine): void {
  const refuse = (key: string, problem: string): never => {
    const found: ConfigProblem = { key, source: 'command line', problem, nearest: null };
    throw new ConfigError([found]);
  };
  const isBalancing = flags.has('balance') || flags.has('measure');
  if (flags.has('balance') && flags.has('measure')) refuse('--measure', 'and --balance exclude each other');
  if (flags.has('from') && isBalancing) refuse('--from', 'goes with neither --balance nor --measure');
  for (const flag of ['out', 'fresh']) {
    if (flags.has(flag) && !isBalancing) refuse(`--${flag}`, 'needs --balance or --measure');
  }
  const seconds = flags.get('measure');
  if (seconds !== undefined && !/^[1-9]\d{0,4}$/.test(seconds)) {
    refuse('--measure', `must be a number of seconds, 1 to 99999, is ${JSON.stringify(seconds)}`);
  }
}

/** The symbols of a configuration; of a former one, those that were delisted since are left out. */
async function symbolsOf(
  config: PlanConfig,
  line: CommandLine,
  io: CommandIo,
  exchanges: ExchangeLookup,
  isFormer = false,
): Promise<ListedSymbols[]> {
  const isOffline = line.flags.has('offline');
  const listed = isOffline ? assumeSymbols(config) : await listSymbols(config, exchanges, io.signal);
  const failures = listed.flatMap(({ failure }) => (failure === null ? [] : [failure]));
  const problems = isFormer && !isOffline ? [] : listed.flatMap((each) => each.problems);
  if (problems.length > 0) throw new PlanFailure(PLAN_EXIT.refused, problems.map(problemText).join('\n'));
  if (failures.length > 0) throw new PlanFailure(PLAN_EXIT.failed, failures.join('\n'));
  return listed;
}

function crowdedShards(loads: readonly ShardLoad[]): string[] {
  return loads.flatMap(({ shard, exchanges }) =>
    EXCHANGES.flatMap((name) => {
      const load = exchanges[name];
      if (load === undefined || load.connections <= load.allowedConnections) return [];
      return [
        `shard ${shard} needs ${load.connections} connections to ${name}, but its part of the limit is ${load.allowedConnections}: use more shards on addresses of their own and set limitsSharedBy, or raise exchanges.${name}.limits`,
      ];
    }),
  );
}

function loadsJson(loads: readonly ShardLoad[], crowded: readonly string[]) {
  return {
    ok: crowded.length === 0,
    problems: crowded,
    shards: loads.map(({ shard, units, exchanges }) => ({
      shard,
      units,
      exchanges: Object.fromEntries(
        Object.entries(exchanges).map(([name, load]) => [
          name,
          { units: load.units, topics: load.topics, connections: load.connections },
        ]),
      ),
    })),
  };
}

function loadsText(loads: readonly ShardLoad[], withUnits: boolean): string {
  const names = EXCHANGES.filter((name) => loads.some(({ exchanges }) => exchanges[name] !== undefined));
  const rows = [
    ['shard', 'units', 'topics', 'connections', ...names.map((name) => `${name} units/connections`)],
    ...loads.map(({ shard, units, exchanges }) => {
      const all = Object.values(exchanges);
      return [
        String(shard),
        String(units.length),
        String(all.reduce((sum, load) => sum + load.topics, 0)),
        String(all.reduce((sum, load) => sum + load.connections, 0)),
        ...names.map((name) => `${exchanges[name]?.units ?? 0}/${exchanges[name]?.connections ?? 0}`),
      ];
    }),
  ];
  const units = withUnits
    ? loads.map(
        ({ shard, units: owned }) => `\nshard ${shard}\n${owned.map((unit) => `  ${unit}\n`).join('')}`,
      )
    : [];
  return `${table(rows)}${units.join('')}`;
}

/** Rows with their columns right-aligned. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `${row.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('  ')}\n`).join('');
}

function movesJson(moves: readonly Move[]) {
  const count = (keep: (move: Move) => boolean): number => moves.filter(keep).length;
  return {
    moved: count(({ from, to }) => from.length > 0 && to.length > 0),
    added: count(({ from }) => from.length === 0),
    removed: count(({ to }) => to.length === 0),
    moves,
  };
}

function movesText(moves: readonly Move[], listed: readonly ListedSymbols[]): string {
  const { moved, added, removed } = movesJson(moves);
  const total = listed.reduce((sum, { instruments }) => sum + instruments.length, 0);
  const place = (shards: readonly number[], none: string): string =>
    shards.length === 0 ? none : `shard ${shards.join(' and ')}`;
  return [
    ...moves.map(({ unit, from, to }) => `${unit}: ${place(from, 'new')} -> ${place(to, 'gone')}\n`),
    `of ${total} units ${moved} move, ${added} are new, ${removed} are gone\n`,
  ].join('');
}

async function balancePlan(
  config: PlanConfig,
  listed: readonly ListedSymbols[],
  line: CommandLine,
  io: CommandIo,
): Promise<number> {
  const file = line.flags.get('balance');
  const all = file === undefined ? await measured(line, io) : readWeights(file);
  const units = [...ownersOfUnits(config, listed).keys()];
  const weights = new Map(units.flatMap((unit) => (all.has(unit) ? [[unit, all.get(unit)!] as const] : [])));
  if (weights.size === 0) {
    throw new PlanFailure(
      PLAN_EXIT.refused,
      'no unit of the configuration has a weight: are they named exchange:symbol?',
    );
  }
  const { count, exclusive } = config.shard;
  const pins = line.flags.has('fresh') ? [] : config.shard.pins;
  const balanced = balance({ count, exclusive, pins }, weights);
  const out = line.flags.get('out');
  if (out !== undefined) writePinsFile(out, balanced.pins);
  const unweighted = units.length - weights.size;
  const summary = balanceText(balanced, unweighted, out);
  if (line.flags.has('json')) {
    io.stdout.write(
      `${JSON.stringify({ ...balanced, units: units.length, unweighted, out: out ?? null })}\n`,
    );
  } else {
    if (out === undefined) io.stdout.write(pinsYaml(balanced.pins));
    (out === undefined ? io.stderr : io.stdout).write(summary);
  }
  return PLAN_EXIT.right;
}

async function measured(line: CommandLine, io: CommandIo): Promise<ReadonlyMap<string, number>> {
  const seconds = Number(line.flags.get('measure'));
  const config = loadSections(line, io.env, ['kafka', 'registry']);
  io.stderr.write(`counting trades for ${seconds} s\n`);
  try {
    const { weights, unreadable, reason } = await measureTrades(config, seconds, io.signal);
    if (unreadable > 0) io.stderr.write(`${unreadable} values could not be read: ${reason}\n`);
    return weights;
  } catch (error) {
    io.signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    const isRefused = error instanceof KafkaRefusedError || error instanceof RegistryLoginError;
    throw new PlanFailure(isRefused ? PLAN_EXIT.refused : PLAN_EXIT.failed, `can't count trades: ${reason}`);
  }
}

function balanceText(
  { before, after, added, pins }: Balanced,
  unweighted: number,
  out: string | undefined,
): string {
  return [
    `hottest shard: ${before.hottest.toFixed(2)} times the mean before, ${after.hottest.toFixed(2)} after ${added.length} new pins (${pins.length} in all)`,
    ...(unweighted > 0 ? [`${unweighted} units have no weight and were left where they are`] : []),
    ...(out === undefined ? [] : [`written to ${out}: give it as the last --config`]),
    '',
  ].join('\n');
}
