import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { aliveBrokers } from './kafka.ts';
import { stateFile, ticklineFolder } from './paths.ts';
import { isRunning, signalProcess } from './process-identity.ts';
import { withLock } from './process-lock.ts';
import { registryAnswers } from './registry.ts';
import { lastLines } from './server.ts';
import { startStack } from './stack.ts';
import { isStale, killLeftServers, readState, type StackState, writeState } from './state.ts';
import { waitUntil } from './wait-until.ts';

const help = `Kafka and a schema registry on this machine, in the background.

  node scripts/stack/main.ts up      start them, unless they run; print their addresses
  node scripts/stack/main.ts down    stop them and remove their data
  node scripts/stack/main.ts status  print their addresses; exit code 3 when they do not run

  --brokers 1|3   brokers to start (up; default 1)
  --data DIR      keep the data in this folder and use what is there (up; default: removed by down)
  --json          print one line of JSON: {"running":…,"brokers":[…],"registryUrl":…,"kind":…,"folder":…}
  --help          this text

Environment: STACK=jars (Java 17 and Maven) or STACK=docker (Docker Compose; nobody has run that way yet).
Default: jars where they can run, else docker.
`;

const logFile = join(ticklineFolder, 'stack.log');

interface Arguments {
  readonly command: string;
  readonly json: boolean;
  readonly brokers: 1 | 3;
  readonly data: string | undefined;
}

/** What the holding process tells the one that started it. */
type Report = { progress: string } | { ready: true } | { failed: string };

function parse(args: string[]): Arguments | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      brokers: { type: 'string', default: '1' },
      data: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const [command = '', ...rest] = positionals;
  if (!['up', 'down', 'status', 'hold'].includes(command) || rest.length > 0) {
    throw new Error(`say up, down or status, not "${positionals.join(' ')}"`);
  }
  if (values.brokers !== '1' && values.brokers !== '3') {
    throw new Error(`--brokers ${values.brokers}: there can be 1 or 3`);
  }
  return { command, json: values.json, brokers: values.brokers === '1' ? 1 : 3, data: values.data };
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The running stack's state; clears away what a dead one left. */
function current(): StackState | undefined {
  const state = readState(stateFile);
  if (state === undefined || !isStale(state)) return state;
  const left = killLeftServers(state);
  rmSync(stateFile, { force: true });
  tell(
    `the stack noted in ${stateFile} is gone${left.length === 0 ? '' : `; killed what was left: ${left.join(', ')}`}`,
  );
  return undefined;
}

function print(state: StackState | undefined, json: boolean): void {
  if (json) {
    const { brokers, registryUrl, kind, folder } = state ?? {
      brokers: [],
      registryUrl: null,
      kind: null,
      folder: null,
    };
    console.log(JSON.stringify({ running: state !== undefined, brokers, registryUrl, kind, folder }));
  } else if (state === undefined) {
    console.log('not running');
  } else {
    console.log(`Kafka            ${state.brokers.join(',')}`);
    console.log(`Schema registry  ${state.registryUrl}`);
    console.log(`Data and logs    ${state.folder}`);
  }
}

/** Whether every server of a stack answers. */
async function answers(state: StackState): Promise<boolean> {
  const asked = [
    ...state.brokers.map(async (address) => (await aliveBrokers(address)).length === state.brokers.length),
    ...(state.registryUrl === null ? [] : [registryAnswers(state.registryUrl)]),
  ];
  return (await Promise.allSettled(asked)).every((answer) => answer.status === 'fulfilled' && answer.value);
}

async function up(args: Arguments): Promise<number> {
  return withLock(
    join(ticklineFolder, 'stack.lock'),
    async () => {
      const running = current();
      if (running !== undefined && (await answers(running))) {
        if (running.brokers.length !== args.brokers) {
          tell(
            `a stack with ${running.brokers.length} broker(s) runs already: stop it first (make stack-down)`,
          );
          return 1;
        }
        print(running, args.json);
        return 0;
      }
      if (running !== undefined) {
        tell('a stack runs but does not answer: starting it anew');
        await end(running);
      }
      await startHolder(args);
      print(readState(stateFile), args.json);
      return 0;
    },
    () => tell('another process is starting or stopping the stack, waiting'),
  );
}

/** Starts the process that holds the stack and lives on after us; resolves when the stack answers. */
function startHolder(args: Arguments): Promise<void> {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'w');
  const extra = args.data === undefined ? [] : ['--data', args.data];
  const holder = spawn(
    process.execPath,
    [import.meta.filename, 'hold', '--brokers', String(args.brokers), ...extra],
    { detached: true, stdio: ['ignore', log, log, 'ipc'] },
  );
  closeSync(log);
  return new Promise((resolve, reject) => {
    holder.on('message', (report: Report) => {
      if ('progress' in report) return tell(report.progress);
      if ('failed' in report) return reject(new Error(report.failed));
      holder.disconnect();
      holder.unref();
      resolve();
    });
    holder.once('error', reject);
    holder.once('exit', (code, signal) => {
      reject(
        new Error(
          `the stack ended while it started (${signal ?? code}); ${logFile} ends with:\n${lastLines(logFile, 10)}`,
        ),
      );
    });
  });
}

/** The process that holds the stack: it is told to end by SIGTERM, and until it is ready by our parent's end. */
async function hold(args: Arguments): Promise<number> {
  const report = (message: Report): void => void process.send?.(message);
  let ready = false;
  const abort = new AbortController();
  process.once('disconnect', () => {
    if (!ready) abort.abort(new Error('who asked for the stack is gone'));
  });
  try {
    const stack = await startStack({
      brokers: args.brokers,
      signal: abort.signal,
      onProgress: (line) => report({ progress: line }),
      ...(args.data === undefined ? {} : { dataDir: args.data }),
    });
    process.once('exit', () => rmSync(stateFile, { force: true }));
    writeState(stateFile, stack.state);
    ready = true;
    report({ ready: true });
  } catch (error) {
    report({ failed: error instanceof Error ? error.message : String(error) });
    return 1;
  }
  // The servers' handles keep us alive. When all have ended by themselves there is nothing left to hold.
  return 0;
}

/** Ends a running stack and waits until nothing of it is left. */
async function end(state: StackState): Promise<void> {
  signalProcess(state.owner, 'SIGTERM');
  try {
    await waitUntil(async () => !isRunning(state.owner) || undefined, {
      what: `process ${state.owner.pid} to end`,
      timeoutMs: 60_000,
    });
  } catch {
    signalProcess(state.owner, 'SIGKILL');
  }
  killLeftServers(state);
  rmSync(stateFile, { force: true });
}

async function down(json: boolean): Promise<number> {
  return withLock(
    join(ticklineFolder, 'stack.lock'),
    async () => {
      const running = current();
      if (running !== undefined) await end(running);
      if (json) print(undefined, true);
      else console.log(running === undefined ? 'not running' : 'stopped');
      return 0;
    },
    () => tell('another process is starting or stopping the stack, waiting'),
  );
}

async function status(json: boolean): Promise<number> {
  const running = current();
  print(running, json);
  if (running === undefined) return 3;
  if (await answers(running)) return 0;
  tell(`it does not answer: see the logs below ${running.folder}`);
  return 3;
}

async function main(): Promise<number> {
  let args: Arguments | undefined;
  try {
    args = parse(process.argv.slice(2));
  } catch (error) {
    tell(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    return 2;
  }
  if (args === undefined) {
    console.log(help);
    return 0;
  }
  if (args.command === 'up') return up(args);
  if (args.command === 'down') return down(args.json);
  if (args.command === 'status') return status(args.json);
  return hold(args);
}

// kafkajs 2.2.4 asks Node 24 for negative timeouts, which is harmless; nobody who reads this can help it.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'TimeoutNegativeWarning') tell(warning.stack ?? warning.message);
});

try {
  process.exitCode = await main();
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
