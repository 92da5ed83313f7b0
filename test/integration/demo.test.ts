import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const exchanges = ['binance', 'bybit-spot', 'okx', 'kraken'];

interface Result {
  readonly exchanges: Readonly<Record<string, Readonly<Record<string, number | null>>>>;
  readonly sinks?: Readonly<Record<string, { readonly delivered: number; readonly lost: number }>>;
  readonly ok: boolean;
  readonly error?: string;
}

/** A demo that runs, and all that it started: its processes inherit a mark in their environment. */
class RunningDemo {
  readonly ended: Promise<number | null>;
  private readonly mark = `DEMO_TEST_MARK=${randomUUID()}`;
  private readonly child;
  private output = '';
  private errors = '';
  private seen = new Map<number, string>();
  private readonly watchers = new Set<() => void>();

  constructor(...args: string[]) {
    const [name = '', value = ''] = this.mark.split('=');
    const {
      DURATION: _duration,
      RATE: _rate,
      SYMBOLS: _symbols,
      SINKS: _sinks,
      JSON: _json,
      ...env
    } = process.env;
    this.child = spawn(process.execPath, ['scripts/demo/main.ts', ...args], {
      cwd: root,
      env: { ...env, [name]: value },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
      for (const watch of this.watchers) watch();
    });
    this.ended = new Promise((done) => this.child.once('close', done));
    onTestFinished(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  /** What it wrote to standard error. */
  get progress(): string {
    return this.errors;
  }

  get result(): Result {
    return JSON.parse(this.output.trimEnd().split('\n').at(-1) ?? '') as Result;
  }

  /** Resolves when standard error holds what is looked for; rejects when the demo ends without. */
  async says(text: RegExp): Promise<void> {
    const found = new Promise<void>((done) => {
      const watch = (): void => {
        if (text.test(this.errors)) done();
      };
      this.watchers.add(watch);
      watch();
    });
    const over = this.ended.then((code) => {
      throw new Error(`the demo ended with ${code} and never said ${text}:\n${this.errors}`);
    });
    over.catch(() => undefined);
    await Promise.race([found, over]);
  }

  interrupt(): void {
    this.child.kill('SIGINT');
  }

  /** Command lines of its processes by pid, itself included while it runs. */
  processes(): Map<number, string> {
    const found = new Map<number, string>();
    for (const entry of readdirSync('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      const pid = Number(entry);
      try {
        const line = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ');
        if (this.isOurs(pid, line)) found.set(pid, line);
      } catch {
        // It ended meanwhile.
      }
    }
    this.seen = found;
    return found;
  }

  private isOurs(pid: number, line: string): boolean {
    if (readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(this.mark)) return true;
    // redis-server writes its title over its environment: known as a child, and by its title from then on.
    const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(parent) === this.child.pid || this.seen.get(pid) === line;
  }
}

describe.runIf(existsSync('/proc/self/environ'))('the demo', () => {
  it('reads back all that the simulators wrote, ends by itself and leaves nothing behind', async () => {
    const demo = new RunningDemo('--duration', '5', '--json');
    await demo.says(/the first tick was read back/);
    // Itself, Kafka, the registry, the simulated exchanges, two pods of two.
    expect(demo.processes().size).toBe(8);
    expect(await demo.ended, demo.progress).toBe(0);
    const { result } = demo;
    expect(Object.keys(result)).toEqual(['exchanges', 'ok']);
    expect(Object.keys(result.exchanges)).toEqual(exchanges);
    for (const exchange of exchanges) {
      const figures = result.exchanges[exchange]!;
      expect(Object.keys(figures)).toEqual(['frames', 'produced', 'readBack', 'lost', 'p50Ms', 'p99Ms']);
      // At 1,250 frames a second each; a busy machine may make fewer.
      expect(figures.frames).toBeGreaterThan(1_000);
      expect(figures.readBack).toBeGreaterThan(1_000);
      expect(figures.produced).toBe(figures.readBack);
      expect(figures.lost).toBe(0);
      expect(figures.p50Ms).toBeGreaterThan(0);
      expect(figures.p99Ms).toBeGreaterThanOrEqual(figures.p50Ms!);
    }
    expect(result.ok).toBe(true);
    expect(demo.processes()).toEqual(new Map());
  });

  it('shows Kafka, Redis and gRPC side by side, each whole', async () => {
    const demo = new RunningDemo(
      '--sinks',
      'kafka,redis,grpc',
      '--duration',
      '4',
      '--rate',
      '1000',
      '--json',
    );
    await demo.says(/the first tick was read back/);
    // One more than with Kafka alone: redis-server.
    expect(demo.processes().size).toBe(9);
    expect(await demo.ended, demo.progress).toBe(0);
    const { exchanges: figures, sinks, ok } = demo.result;
    const readBack = exchanges.reduce((sum, exchange) => sum + (figures[exchange]!.readBack ?? 0), 0);
    expect(readBack).toBeGreaterThan(1_000);
    // Streams and gRPC lose nothing, so they have what Kafka has; Pub/Sub may drop.
    expect(sinks).toEqual({
      redisStreams: { delivered: readBack, lost: 0 },
      redisPubSub: { delivered: expect.any(Number), lost: expect.any(Number) },
      grpc: { delivered: readBack, lost: 0 },
    });
    const { delivered, lost } = sinks!.redisPubSub!;
    expect(delivered + lost).toBe(readBack);
    expect(ok).toBe(true);
    expect(demo.processes()).toEqual(new Map());
  });

  it('goes without Kafka: the ledger is matched with what gRPC delivers', async () => {
    const demo = new RunningDemo('--sinks', 'grpc', '--duration', '3', '--rate', '1000', '--json');
    await demo.says(/the first tick was read back/);
    expect(demo.processes().size).toBe(6);
    expect(await demo.ended, demo.progress).toBe(0);
    const { exchanges: figures, sinks } = demo.result;
    for (const exchange of exchanges) {
      expect(figures[exchange]!.readBack).toBeGreaterThan(100);
      expect(figures[exchange]).toMatchObject({ produced: figures[exchange]!.readBack, lost: 0 });
    }
    expect(Object.keys(sinks!)).toEqual(['grpc']);
    expect(sinks!.grpc).toMatchObject({ lost: 0 });
    expect(demo.processes()).toEqual(new Map());
  });

  it('takes Ctrl-C for the ordinary end when no duration is given', async () => {
    const demo = new RunningDemo('--json', '--rate', '400');
    await demo.says(/binance [\d,]+ frames\/s [\d,]+ read back/);
    demo.interrupt();
    expect(await demo.ended, demo.progress).toBe(0);
    expect(demo.result).toMatchObject({ ok: true });
    expect(demo.progress).toContain('everything is stopped');
    expect(demo.processes()).toEqual(new Map());
  });

  it('ends when Redis dies, and says so', async () => {
    const demo = new RunningDemo('--sinks', 'redis', '--json', '--rate', '400');
    await demo.says(/the first tick was read back/);
    const victim = [...demo.processes()].find(([, line]) => line.includes('redis-server'));
    process.kill(victim![0], 'SIGKILL');
    expect(await demo.ended).toBe(1);
    expect(demo.result.ok).toBe(false);
    expect(demo.result.error).toMatch(/^redis-server at 127\.0\.0\.1:\d+ ended/);
    expect(demo.processes()).toEqual(new Map());
  });

  it('says which part died, with its log, and stops the rest', async () => {
    const demo = new RunningDemo('--json', '--rate', '400');
    await demo.says(/the first tick was read back/);
    const victim = [...demo.processes()].find(([, line]) => line.includes('--shard.index=1'));
    process.kill(victim![0], 'SIGKILL');
    expect(await demo.ended).toBe(1);
    expect(demo.result.ok).toBe(false);
    expect(demo.result.error).toMatch(/^the ingestor of pod 1 ended with SIGKILL.*pod-1-ingestor\.log/);
    expect(demo.processes()).toEqual(new Map());
  });
});
