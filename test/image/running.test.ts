import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeBundle } from '../../scripts/image/bundle.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { SidecarStatus } from '../../services/sidecar/src/sidecar.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { matchedIn, readBack, troublesOf } from '../support/read-back.ts';
import { startSimulators, stopMarkets, ticksWritten } from '../support/simulators.ts';
import {
  canStartAsFirstProcess,
  type Program,
  type ProgramOptions,
  startProgram,
} from './bundled-program.ts';

const TICKS = 3_000;

let stack: Stack;
let folder: string;
/** The bundle as the image has it: others own it, and nothing in it can be written. */
let bundle: string;
/** The root of the image's file system. */
let root: string;
const programs: Program[] = [];
let started = 0;
const simulators: Simulator[] = [];

beforeAll(async () => {
  mkdirSync(join(repositoryRoot, '.tickline'), { recursive: true });
  folder = mkdtempSync(join(repositoryRoot, '.tickline/test-image-'));
  // The programs run as another user, who must get there.
  chmodSync(folder, 0o755);
  const starting = startStack();
  try {
    const made = await makeBundle(repositoryRoot, join(folder, 'made'));
    bundle = join(folder, 'bundle');
    cpSync(made.folder, bundle, { recursive: true, verbatimSymlinks: true });
    makeReadOnly(bundle);
    root = join(folder, 'root');
    execFileSync(process.execPath, [
      join(repositoryRoot, 'scripts/image/runtime-root.ts'),
      ...['--bundle', made.folder, '--out', root],
    ]);
    // Where whatever runs a container mounts it.
    mkdirSync(join(root, 'proc'));
  } finally {
    stack = await starting;
  }
});

afterEach(async () => {
  for (const program of programs.splice(0)) {
    program.kill('SIGKILL');
    await program.ended;
  }
  await Promise.all(simulators.splice(0).map((simulator) => simulator.close()));
});

afterAll(async () => {
  await stack?.stop();
  execFileSync('chmod', ['-R', 'u+w', folder]);
  rmSync(folder, { recursive: true, force: true });
});

async function start(name: string, options: Omit<ProgramOptions, 'logFile'>): Promise<Program> {
  const logFile = join(folder, `${name}-${++started}.log`);
  const program = await startProgram({ ...options, logFile });
  programs.push(program);
  return program;
}

/** Writes the configuration as a ConfigMap is mounted: a folder. It must be where the program sees it. */
function writeConfiguration(configFolder: string, prefix: string): void {
  mkdirSync(configFolder, { recursive: true });
  const configuration = {
    shard: { count: 1, index: 0 },
    kafka: { brokers: stack.brokers, topicPrefix: prefix },
    registry: { url: stack.registryUrl },
    status: { port: 0 },
    metrics: { port: 0 },
    exchanges: Object.fromEntries(
      simulators.map(({ exchange, url, restUrl }) => [
        exchange,
        { symbols: ['*'], endpoints: { websocket: url, rest: restUrl } },
      ]),
    ),
  };
  writeFileSync(join(configFolder, 'config.yaml'), JSON.stringify(configuration));
}

/** A pod's whole life by the bundle's programs alone. */
async function live(prefix: string, where: Pick<ProgramOptions, 'folder' | 'asFirstProcess'>): Promise<void> {
  simulators.push(...(await startSimulators({ symbols: 5, rate: 1_000, start: 'subscription' })));
  const inside = where.asFirstProcess ? '/etc/tickline/config' : join(folder, `${prefix}config`);
  writeConfiguration(where.asFirstProcess ? join(where.folder, inside) : inside, prefix);
  const env = { NODE_ENV: 'production', TICKLINE_CONFIG: inside };

  const check = await start('check', { ...where, env, args: ['services/ingestor/main.js', 'check'] });
  expect(await check.ended, check.log()).toBe(0);
  const provision = await start('provision', {
    ...where,
    env,
    args: ['services/ingestor/main.js', 'provision'],
  });
  expect(await provision.ended, provision.log()).toBe(0);

  const ingestor = await start('ingestor', { ...where, env, args: ['services/ingestor/main.js', 'run'] });
  const { statusUrl } = await ingestor.event('listening');
  const sidecar = await start('sidecar', {
    ...where,
    env: { TICKLINE_SIDECAR_INGESTOR_URL: `${statusUrl}/status`, TICKLINE_SIDECAR_LISTEN_PORT: '0' },
    args: ['services/sidecar/main.js', 'run'],
  });
  const { url } = await sidecar.event('listening');
  await eventually('the sidecar has found the ingestor', async () => {
    const told = (await (await fetch(`${url}/status`)).json()) as SidecarStatus;
    return told.ingestor.state === 'up' || undefined;
  });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  if (where.asFirstProcess) {
    const status = execFileSync('cat', [`/proc/${ingestor.pid}/status`], { encoding: 'utf8' });
    expect(status).toMatch(/^NSpid:\s+\d+\s+1$/m);
    expect(status).toMatch(/^Uid:\s+10001\s+10001/m);
  }
  await eventually('ticks are written', () => ticksWritten(simulators) >= TICKS || undefined);

  ingestor.kill('SIGTERM');
  expect(await ingestor.ended).toBe(0);
  expect(ingestor.log()).toContain('everything was acknowledged');
  stopMarkets(simulators);
  sidecar.kill('SIGINT');
  expect(await sidecar.ended).toBe(0);

  const channels = await readBack(stack, simulators, prefix);
  expect(troublesOf(channels)).toEqual([]);
  expect(matchedIn(channels)).toBeGreaterThanOrEqual(TICKS);
}

describe('the bundle, read-only, as another user', () => {
  it('checks, provisions, runs, drains, and writes nothing beside itself', async () => {
    const before = filesBelow(bundle);
    await live('bundle.', { folder: bundle, asFirstProcess: false });
    expect(filesBelow(bundle)).toEqual(before);
  });

  it('names what is wrong with a configuration and ends with 2', async () => {
    const program = await start('refused', {
      folder: bundle,
      asFirstProcess: false,
      env: { TICKLINE_SHARD_CONT: '1' },
      args: ['services/ingestor/main.js', 'run'],
    });
    expect(await program.ended).toBe(2);
    expect(program.log()).toContain('shard.index');
    expect(program.log()).toContain('TICKLINE_SHARD_CONT');
  });
});

describe.runIf(canStartAsFirstProcess())("the image's root file system", () => {
  it('has Node, its libraries, the bundle, two lists of users, and no shell', () => {
    const outside = filesBelow(root).filter((file) => !file.startsWith('app/'));
    const names = outside.map((file) => file.slice(file.lastIndexOf('/') + 1).split(' ')[0]!);
    const libraries = names.filter((name) => /\.so(\.|$)/.test(name));
    expect(libraries.length).toBeGreaterThan(3);
    expect(names.filter((name) => !libraries.includes(name)).sort()).toEqual(['group', 'node', 'passwd']);
  });

  it('ends as process 1 at once when it is told to while it still loads', async () => {
    const program = await start('early', {
      folder: root,
      asFirstProcess: true,
      env: {},
      args: ['services/ingestor/main.js', 'run'],
    });
    // What comes before Node itself has begun is lost: the next one is not.
    const telling = setInterval(() => program.kill('SIGTERM'), 5);
    expect(await program.ended).toBe(143);
    clearInterval(telling);
  });

  it('runs the programs as process 1 of a user without rights: SIGTERM drains, SIGINT ends', async () => {
    const before = filesBelow(join(root, 'app'));
    await live('root.', { folder: root, asFirstProcess: true });
    expect(filesBelow(join(root, 'app'))).toEqual(before);
  });
});

function makeReadOnly(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  if (stat.isDirectory()) for (const name of readdirSync(path)) makeReadOnly(join(path, name));
  chmodSync(path, stat.mode & 0o555);
}

/** Every file and folder with its size and time of change. */
function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const { size, mtimeMs } = lstatSync(file);
      return entry.isDirectory() ? '' : `${file.slice(path.length + 1)} ${size} ${mtimeMs}`;
    })
    .filter((line) => line !== '')
    .sort();
}
