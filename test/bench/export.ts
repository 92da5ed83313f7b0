/**
 * Records per core-second of `tickline export`, from a real Kafka topic to a file that is on the disk (decoding,
 * compression, checksums, fsync and the manifest included), beside a tuned Python consumer that writes the same.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pythonFolder } from '../../scripts/setup.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { fillTradeTopic } from './trade-topic.ts';

export const description =
  'a topic of trades to Parquet and JSONL by tickline export, beside confluent-kafka in Python';

const RECORDS = 5_000_000;
const FORMATS = ['jsonl', 'parquet'] as const;
type Format = (typeof FORMATS)[number];

interface Measured {
  readonly records: number;
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly peakBytes: number;
  readonly fileBytes: number;
}

interface Result {
  readonly ok: boolean;
  readonly text: string;
  readonly json: {
    readonly records: number;
    readonly recordsPerCoreSecond: Record<Format, number>;
    readonly peakBytes: Record<Format, number>;
    readonly fileBytes: Record<Format, number>;
    readonly baselines: { readonly pythonConfluent: Record<Format, number> };
  };
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

export async function run({ messages = RECORDS }: { messages: number | undefined }): Promise<Result> {
  const python = join(pythonFolder, 'bin/python');
  if (!existsSync(python)) throw new Error('no Python with confluent-kafka: run node scripts/setup.ts tests');
  const parent = join(repositoryRoot, '.tickline', 'bench');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'export-'));
  const stack = await startStack({ onProgress: progress });
  try {
    const written = await fillTradeTopic(stack, messages, progress);
    const ours = {} as Record<Format, Measured>;
    const theirs = {} as Record<Format, Measured>;
    for (const format of FORMATS) {
      ours[format] = await measure(`tickline export, ${format}`, join(folder, `ours.${format}`), (out) => [
        process.execPath,
        [join(repositoryRoot, 'services/replay/src/main.ts'), ...oursArgs(stack, out)],
      ]);
      theirs[format] = await measure(`Python, ${format}`, join(folder, `python.${format}`), (out) => [
        python,
        [
          join(repositoryRoot, 'test/bench/python_export.py'),
          stack.brokers.join(','),
          stack.registryUrl,
          'md.trades',
          format,
          out,
        ],
      ]);
    }
    return {
      ok: FORMATS.every((format) => ours[format].records === written && theirs[format].records === written),
      json: {
        records: written,
        recordsPerCoreSecond: eachFormat((format) => perCoreSecond(ours[format])),
        peakBytes: eachFormat((format) => ours[format].peakBytes),
        fileBytes: eachFormat((format) => ours[format].fileBytes),
        baselines: { pythonConfluent: eachFormat((format) => perCoreSecond(theirs[format])) },
      },
      text: FORMATS.flatMap((format) => [
        `${format.padEnd(8)} tickline export     ${describe(ours[format])}`,
        `${format.padEnd(8)} Python              ${describe(theirs[format])}`,
        `${format.padEnd(8)} ratio               ${(perCoreSecond(ours[format]) / perCoreSecond(theirs[format])).toFixed(1)}`,
      ]).join('\n'),
    };
  } finally {
    await stack.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function eachFormat(of: (format: Format) => number): Record<Format, number> {
  return { jsonl: of('jsonl'), parquet: of('parquet') };
}

function oursArgs(stack: Stack, out: string): string[] {
  return [
    'export',
    'trades',
    '--json',
    '--out',
    out,
    `--kafka.brokers=${stack.brokers.join(',')}`,
    `--registry.url=${stack.registryUrl}`,
  ];
}

/** Runs a program that prints `{"records": N}` as its last line, and counts what it costs with all its threads. */
async function measure(
  name: string,
  out: string,
  command: (out: string) => readonly [program: string, args: readonly string[]],
): Promise<Measured> {
  progress(`${name}: running`);
  const [program, args] = command(out);
  const started = performance.now();
  const before = childrenCpuSeconds();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  let peakBytes = 0;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakOf(child.pid ?? 0));
  }, 50);
  const code = await new Promise((done) => child.once('close', done));
  clearInterval(watch);
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  const { records } = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as { records: number };
  const measured = {
    records,
    cpuSeconds: childrenCpuSeconds() - before,
    seconds: (performance.now() - started) / 1000,
    peakBytes,
    fileBytes: Number(execFileSync('stat', ['-c', '%s', out]).toString()),
  };
  progress(`${name}: ${describe(measured)}`);
  // The next one finds as much room, and no pages of this one that are still to be written.
  rmSync(out);
  return measured;
}

/** The most memory that a process has had, from /proc; 0 when it has ended. */
function peakOf(pid: number): number {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/**
 * Processor seconds, user and system, of all children that have ended, with all their threads: cutime and cstime of
 * /proc/self/stat (proc(5)). Between two calls exactly one child ends: servers go on until the benchmark is over.
 */
function childrenCpuSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  // Behind the name, which may have blanks: state is the 3rd field, cutime the 16th, cstime the 17th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']).toString());
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

function perCoreSecond({ records, cpuSeconds }: Measured): number {
  return Math.round(records / cpuSeconds);
}

function describe(measured: Measured): string {
  const { records, cpuSeconds, seconds, peakBytes, fileBytes } = measured;
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;
  return `${perCoreSecond(measured).toLocaleString('en')} records per core-second (${records.toLocaleString('en')} in ${seconds.toFixed(1)} s with ${cpuSeconds.toFixed(1)} CPU seconds, ${megabytes(fileBytes)}, at most ${megabytes(peakBytes)} resident)`;
}
