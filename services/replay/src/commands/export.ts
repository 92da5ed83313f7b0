import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { SettingsError } from '../connection/settings-error.ts';
import { EXPORT_FORMATS, type ExportFormatName } from '../export/export-format.ts';
import { ExportJournal, type UnfinishedExport } from '../export/export-journal.ts';
import { lockExport } from '../export/export-lock.ts';
import { type ExportManifest, type ManifestFile, parseManifest } from '../export/export-manifest.ts';
import { columnsOf, type ExportPlan, pathColumnsOf } from '../export/export-plan.ts';
import { checkOut, ExportTarget } from '../export/export-target.ts';
import { sha256Of } from '../export/file-hash.ts';
import { PARTITION_KEYS, type PartitionKey } from '../export/partition-keys.ts';
import { progressDisplay } from '../export/progress-display.ts';
import { type ExportResult, runExport } from '../export/run-export.ts';
import { TIME_TEXTS, type TimeTextName } from '../export/text-rows.ts';
import { toolName } from '../export/tool-name.ts';
import { OutputError } from '../output/output.ts';
import { CODEC, type Compression } from '../parquet/format.ts';
import type { PartitionRange } from '../reading/records.ts';
import type { TopicSource } from '../reading/topic-source.ts';
import { helpEnd, type Run } from './command.ts';
import { addConnectionOptions, type Options, withSource } from './connection-options.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { parseOffsets, rangesOfOffsets } from './offset-ranges.ts';
import {
  addSelectionOptions,
  addTimeOptions,
  channelOf,
  exchangesOf,
  listOption,
  symbolsOf,
  timesOf,
  topicOf,
} from './record-selection.ts';

import { Interrupted, type World } from './world.ts';

/** How far reading goes past `--to`: records of different pods are a little out of order. */
const REORDER_WINDOW_MS = 5_000;
const DEFAULT_COMPRESSION: Compression = 'zstd';
const DEFAULT_TIMES: TimeTextName = 'micros';
/** Skipped records that are told one by one. */
const TOLD_SKIPS = 5;
const EXTENSIONS: Readonly<Record<string, ExportFormatName>> = {
  '.parquet': 'parquet',
  '.csv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};
/** What decides the records and the files of an export, by attribute name; a manifest says all of it. */
const PLAN_OPTIONS = [
  'from',
  'to',
  'local',
  'offsets',
  'symbol',
  'exchange',
  'format',
  'partitionBy',
  'columns',
  'positions',
  'compression',
  'times',
] as const;

/** `tickline export`. */
export function exportCommand(program: Command, run: Run): void {
  const command = program
    .command('export')
    .summary('write records to Parquet, CSV or JSONL files')
    .description(
      'Writes the records of a topic to files, digit for digit: Parquet (DECIMAL(38,18), typed times, zstd), CSV (RFC 4180; null is nothing, an empty text is quoted) or JSONL (decimals are strings, because JSON numbers lose digits). Rows are in the order of partitions and offsets. The final name appears when everything is on the disk, and manifest.json beside it says what was exported. The same command again continues an export that was interrupted.',
    )
    .argument('[topic]', 'trades, quotes or status; not with --manifest')
    .option('-o, --out <path>', 'file to make, or with --partition-by the folder')
    .addOption(
      new Option(
        '-f, --format <format>',
        "the files' format (default: by the name of --out, else parquet)",
      ).choices(EXPORT_FORMATS),
    );
  addTimeOptions(command);
  command.option(
    '--offsets <ranges>',
    'offsets of partitions instead of times: 0:1000-2000,3:500- (both ends included)',
  );
  addSelectionOptions(command);
  command
    .option('--columns <names>', 'only these fields, in this order; commas, or repeated', listOption)
    .option('--positions', 'add the columns partition and offset')
    .option(
      '--partition-by <keys>',
      `a file for each combination of these, in Hive's layout: ${Object.keys(PARTITION_KEYS).join(', ')}; commas, or repeated`,
      listOption,
    )
    .addOption(
      new Option('--compression <codec>', "of Parquet's pages")
        .choices(Object.keys(CODEC))
        .default(DEFAULT_COMPRESSION),
    )
    .addOption(
      new Option('--times <form>', 'times in CSV and JSONL: microseconds since 1970, or ISO 8601 in UTC')
        .choices(TIME_TEXTS)
        .default(DEFAULT_TIMES),
    )
    .option('--manifest <file>', 'make the export of this manifest again, and compare the checksums')
    .option('--overwrite', 'replace what is at --out')
    .option('--restart', 'begin anew where an unfinished export was left')
    .option('--json', 'the result as one line of JSON');
  addConnectionOptions(command);
  command.addHelpText(
    'after',
    helpEnd(
      [
        'tickline export trades --from 2026-11-20 --to 2026-11-21 --out trades.parquet',
        "tickline export trades --from -1d --symbol 'BTC-*' --exchange okx --out btc.csv --times iso",
        'tickline export quotes --from 2026-11-20 --out quotes --partition-by exchange,symbol,date',
        'tickline export trades --offsets 0:1000-2000,3 --positions --out part.jsonl',
        'tickline export --manifest manifest.json --out again.parquet',
      ],
      ['done', 'found', 'usage', 'connection', 'skipped', 'output', 'interrupted'],
    ),
  );
  command.action((topic: string | undefined, options: Options) =>
    run((world) => withSource(options, world, (source) => exportTopic(source, topic, options, world))),
  );
}

/** What the arguments ask for. */
interface Request {
  readonly target: ExportTarget;
  /** The same text for the same arguments. */
  readonly text: string;
  /** Of an export that is made again; null: a new one. */
  readonly manifest: ExportManifest | null;
  plan(source: TopicSource, world: World): Promise<ExportPlan>;
}

async function exportTopic(
  source: TopicSource,
  topic: string | undefined,
  options: Options,
  world: World,
): Promise<ExitCode> {
  const request = requestOf(topic, options);
  const { target, manifest } = request;
  checkExisting(target, manifest, options.overwrite === true);
  const tool = toolName();
  const unfinished = options.restart === true ? null : ExportJournal.read(target.journal);
  if (unfinished !== null) checkUnfinished(unfinished, request, tool);
  const plan = unfinished?.plan ?? (await request.plan(source, world));
  // Wrong columns are told before anything is written.
  columnsOf(plan);
  pathColumnsOf(plan);
  target.makeParent();
  const unlock = lockExport(target.lock);
  const display = progressDisplay(world.stderr, world.monotonic);
  const started = world.monotonic();
  let told = 0;
  try {
    const resume = unfinished?.checkpoints ?? null;
    if (resume !== null) {
      display.note(`continuing behind ${(resume.at(-1)?.records ?? 0).toLocaleString('en')} records`);
    }
    const result = await runExport(source, {
      plan,
      target,
      tool,
      request: request.text,
      resume,
      signal: world.signal,
      progress: (progress) => display.update(progress),
      finishing: () => display.stop(),
      skipped: ({ reason, partition, offset, count, detail }) => {
        if (told++ >= TOLD_SKIPS) return;
        display.note(`skipped ${count} at partition ${partition} offset ${offset}: ${reason}, ${detail}`);
      },
    });
    const seconds = (world.monotonic() - started) / 1000;
    return await tell(result, request, world, {
      seconds,
      resumed: resume !== null,
      json: options.json === true,
    });
  } catch (error) {
    display.stop();
    if (error instanceof Interrupted)
      world.stderr.write('interrupted: the same command continues the export\n');
    if (error instanceof OutputError && existsSync(target.journal)) {
      throw new OutputError(`${error.message}; the same command then continues the export`, { cause: error });
    }
    throw error;
  } finally {
    unlock();
  }
}

/** Reads the arguments. Throws SettingsError. */
function requestOf(topic: string | undefined, options: Options): Request {
  if (typeof options.manifest === 'string') return requestOfManifest(options.manifest, topic, options);
  if (topic === undefined)
    throw new SettingsError('export needs a topic (trades, quotes or status), or --manifest');
  const channel = channelOf(topic);
  if (typeof options.out !== 'string')
    throw new SettingsError('export needs --out: the file or folder to make');
  const partitionBy = partitionKeysOf(options);
  const target = new ExportTarget(options.out, partitionBy.length > 0);
  checkOut(options.out, target.isFolder);
  const format = formatOf(options, target);
  const asked = PLAN_OPTIONS.map((name) => [name, options[name] ?? null] as const);
  return {
    target,
    manifest: null,
    text: JSON.stringify({ topic, ...Object.fromEntries(asked) }),
    plan: async (source, world) => {
      const name = topicOf(channel, source.cluster.topicPrefix);
      const { fromMicros, toMicros } = timesOf(options, world.now());
      return {
        topic: name,
        ranges: await rangesOf(source, name, options, fromMicros, toMicros),
        filter: { symbols: symbolsOf(options), exchanges: exchangesOf(options), fromMicros, toMicros },
        format,
        compression: options.compression as Compression,
        times: options.times as TimeTextName,
        columns: (options.columns as string[] | undefined) ?? [],
        positions: options.positions === true,
        partitionBy,
        readerSchema: (await source.readerSchema(name)).text,
      };
    },
  };
}

/** An export that is made again: all but its place is in the manifest. */
function requestOfManifest(path: string, topic: string | undefined, options: Options): Request {
  const given = PLAN_OPTIONS.filter((name) => options[name] !== undefined && !isDefault(name, options[name]));
  if (topic !== undefined || given.length > 0) {
    throw new SettingsError(
      `--manifest says all that is exported: leave out ${topic === undefined ? given.join(', ') : `"${topic}"`}`,
    );
  }
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new SettingsError(`--manifest ${path} can't be read: ${(cause as Error).message}`, { cause });
  }
  const manifest = parseManifest(text, path);
  const { plan, output } = manifest;
  const isFolder = plan.partitionBy.length > 0;
  const out = typeof options.out === 'string' ? options.out : join(dirname(resolve(path)), output);
  checkOut(out, isFolder);
  return {
    target: new ExportTarget(out, isFolder),
    manifest,
    text: JSON.stringify({ manifest: plan }),
    plan: async () => plan,
  };
}

function isDefault(name: string, value: unknown): boolean {
  return (
    (name === 'compression' && value === DEFAULT_COMPRESSION) || (name === 'times' && value === DEFAULT_TIMES)
  );
}

async function rangesOf(
  source: TopicSource,
  topic: string,
  options: Options,
  fromMicros: number | null,
  toMicros: number | null,
): Promise<PartitionRange[]> {
  if (typeof options.offsets !== 'string') {
    const fromMs = fromMicros === null ? null : Math.floor(fromMicros / 1000);
    const toMs = toMicros === null ? null : Math.ceil(toMicros / 1000);
    return source.rangesByTime(topic, fromMs, toMs, REORDER_WINDOW_MS);
  }
  return rangesOfOffsets(topic, parseOffsets(options.offsets), await source.bounds(topic));
}

function partitionKeysOf(options: Options): PartitionKey[] {
  const keys = (options.partitionBy as string[] | undefined) ?? [];
  const known = Object.keys(PARTITION_KEYS) as PartitionKey[];
  return keys.map((text, index) => {
    const key = known.find((each) => each === text);
    if (key === undefined) throw new SettingsError(`--partition-by ${text}: there are ${known.join(', ')}`);
    if (keys.indexOf(text) !== index) throw new SettingsError(`--partition-by names ${text} twice`);
    return key;
  });
}

function formatOf(options: Options, { out, isFolder }: ExportTarget): ExportFormatName {
  const asked = options.format as ExportFormatName | undefined;
  const ending = isFolder ? '' : extname(out).toLowerCase();
  const byName = EXTENSIONS[ending];
  if (asked !== undefined && byName !== undefined && asked !== byName) {
    throw new SettingsError(`--format ${asked} and --out *${ending} do not fit each other: change one`);
  }
  return asked ?? byName ?? 'parquet';
}

/** Refuses to replace what was not asked for. Throws SettingsError. */
function checkExisting(target: ExportTarget, manifest: ExportManifest | null, overwrite: boolean): void {
  if (!target.exists || overwrite) return;
  if (manifest === null) {
    throw new SettingsError(`${target.out} exists: choose another --out, or replace it with --overwrite`);
  }
  // The very export that is made again may be replaced by itself.
  const differs = manifest.files.find(({ path, sha256 }) => {
    const file = target.finalPath(path);
    return !existsSync(file) || sha256Of(file) !== sha256;
  });
  if (differs === undefined) return;
  throw new SettingsError(
    `${target.finalPath(differs.path)} is not what the manifest says: choose another --out, or replace it with --overwrite`,
  );
}

/** An unfinished export is continued only by the same command. Throws SettingsError. */
function checkUnfinished(unfinished: UnfinishedExport, { target, text }: Request, tool: string): void {
  const way = 'finish it with its own command, or begin anew with --restart';
  if (unfinished.request !== text) {
    throw new SettingsError(`${target.journal} is of an unfinished export with other arguments: ${way}`);
  }
  if (unfinished.tool !== tool) {
    throw new SettingsError(`${target.journal} was left by ${unfinished.tool}, this is ${tool}: ${way}`);
  }
}

interface Telling {
  readonly seconds: number;
  readonly resumed: boolean;
  readonly json: boolean;
}

/** Says what was made; returns the exit code. */
async function tell(
  { records, skipped, files, manifestPath }: ExportResult,
  { target, manifest }: Request,
  world: World,
  { seconds, resumed, json }: Telling,
): Promise<ExitCode> {
  const identical = manifest === null ? null : isIdentical(files, manifest.files, target.isFolder);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (json) {
    const summary = {
      output: target.out,
      manifest: manifestPath,
      records,
      bytes,
      files: files.length,
      skipped,
      seconds: Math.round(seconds * 1000) / 1000,
      resumed,
      identical,
    };
    await world.stdout.write(`${JSON.stringify(summary)}\n`);
  } else {
    const count = files.length === 1 ? '' : ` in ${files.length.toLocaleString('en')} files`;
    const lines = [
      `${target.out}: ${records.toLocaleString('en')} records, ${bytes.toLocaleString('en')} bytes${count}, ${seconds.toFixed(1)} s`,
      `${manifestPath}: ranges, counts and checksums`,
    ];
    if (identical === true) lines.push('identical: every checksum is the one in the manifest');
    await world.stdout.write(`${lines.join('\n')}\n`);
  }
  if (skipped.records > 0) {
    const reasons = Object.entries(skipped.byReason).map(([reason, count]) => `${reason}: ${count}`);
    world.stderr.write(
      `tickline: ${skipped.records.toLocaleString('en')} records were skipped (${reasons.join(', ')}); the manifest names their places\n`,
    );
  }
  if (identical === false) {
    world.stderr.write(
      `tickline: the export differs from the manifest's: ${differenceOf(files, manifest!)}\n`,
    );
    return EXIT.found;
  }
  return skipped.records > 0 ? EXIT.skipped : EXIT.done;
}

/** Whether files have the same bytes; the name of a single file may be another. */
function isIdentical(
  files: readonly ManifestFile[],
  before: readonly ManifestFile[],
  byPath: boolean,
): boolean {
  return (
    files.length === before.length &&
    files.every(({ path, sha256 }, index) => {
      const other = before[index]!;
      return other.sha256 === sha256 && (!byPath || other.path === path);
    })
  );
}

function differenceOf(files: readonly ManifestFile[], manifest: ExportManifest): string {
  const records = files.reduce((sum, file) => sum + file.records, 0);
  if (records !== manifest.records) return `${records} records, where it has ${manifest.records}`;
  if (manifest.tool !== toolName()) return `it was made by ${manifest.tool}, this is ${toolName()}`;
  return 'other bytes for as many records: the topic is not the one that it was';
}
