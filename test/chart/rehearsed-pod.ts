import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { environmentOf, type Surroundings } from './container-environment.ts';
import { writeContainerFiles } from './container-files.ts';
import type { Container, HttpGet, PodMade, Probe, ProbeName } from './kubernetes-objects.ts';
import { ProbeState, paceOf } from './probe-state.ts';
import { type ProcessEnd, type RehearsedProcess, startProcess } from './rehearsed-process.ts';

/** What stands for the image and the node. */
export interface Rehearsal extends Surroundings {
  /** The image's file system at its working directory, /app: the production bundle. */
  readonly workingFolder: string;
  /** Where the pod's files and logs go. */
  readonly folder: string;
  /** Variables of Services of the namespace: see `serviceLinks`. Given whatever enableServiceLinks says. */
  readonly links: Readonly<Record<string, string>>;
}

/** One thing that happened to a container, in the order in which it happened. */
export interface PodEvent {
  readonly container: string;
  readonly what: 'process' | 'started' | 'ready' | 'unready' | 'killed' | 'SIGTERM' | 'ended';
}

interface RunningContainer {
  readonly definition: Container;
  readonly process: RehearsedProcess;
  readonly probes: ProbeState;
}

/**
 * A pod of the chart, run as processes by the kubelet's rules: command, arguments, environment, files, probes, order
 * and signals are the rendered ones. What differs from a node: `node` is the tests' own; a path that a volume is
 * mounted at lies below a folder, wherever it is named (files, environment, arguments); all pods share one address,
 * 127.0.0.1, so that the ports must be told apart by values; a container is not started again after its end; and
 * user, memory limit and read-only root are not enforced (`make test-cluster` has them).
 */
export class RehearsedPod {
  readonly events: PodEvent[] = [];
  private readonly pod: PodMade;
  private readonly rehearsal: Rehearsal;
  private readonly running = new Map<string, RunningContainer>();
  private readonly stopProbes = new AbortController();
  private readonly probing: Promise<void>[] = [];

  constructor(pod: PodMade, rehearsal: Rehearsal) {
    this.pod = pod;
    this.rehearsal = rehearsal;
  }

  /**
   * The init containers, one after another: one that runs on (`restartPolicy: Always`) must have started before the
   * next begins, every other must end with 0.
   */
  async startInitContainers(): Promise<void> {
    for (const definition of this.pod.spec.initContainers ?? []) {
      const container = this.start(definition);
      if (definition.restartPolicy === 'Always') {
        await this.until(`${definition.name} has started`, () => container.probes.started);
      } else {
        const { code } = await container.process.ended;
        if (code !== 0) throw this.troubleOf(container, `ended with ${code}`);
      }
    }
  }

  /** All other containers, at once. */
  startContainers(): void {
    for (const definition of this.pod.spec.containers) this.start(definition);
  }

  /** Whether every container that runs on is there and ready: that is what a Service and a rollout go by. */
  get ready(): boolean {
    const { initContainers = [], containers } = this.pod.spec;
    const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
    return [...sidecars, ...containers].every(({ name }) => {
      const container = this.running.get(name);
      return container !== undefined && container.process.end === undefined && container.probes.ready;
    });
  }

  /** Resolves when it holds; rejects at once when a container has ended or is to be killed by its probes. */
  async until(what: string, holds: () => boolean, timeoutMs = 60_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!holds()) {
      for (const container of this.running.values()) {
        const { end } = container.process;
        const sidecarOrMain = container.definition.restartPolicy === 'Always' || !this.isInit(container);
        if (end !== undefined && sidecarOrMain) throw this.troubleOf(container, `ended with ${end.code}`);
        if (this.has(container.definition.name, 'killed')) {
          throw this.troubleOf(container, 'failed its probes');
        }
      }
      if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
      await delay(20);
    }
  }

  /** Resolves when a container ends by itself. */
  async ended(name: string): Promise<ProcessEnd> {
    return this.container(name).process.ended;
  }

  /** All that a container has written. */
  output(name: string): string {
    return this.container(name).process.output();
  }

  /** The address of a container's named port. */
  url(container: string, port: string): string {
    return `http://127.0.0.1:${portNumber(this.container(container).definition, port)}`;
  }

  /**
   * Ends the pod as the kubelet does: SIGTERM to the containers, and to sidecars only when those have ended, the last
   * started first; SIGKILL to what still runs when the grace period is over. Resolves with how each ended.
   */
  async terminate(): Promise<Record<string, ProcessEnd>> {
    const late = new AbortController();
    const graceMs = (this.pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
    const grace = delay(graceMs, undefined, { signal: late.signal }).then(
      () => this.kill(),
      () => undefined,
    );
    const all = [...this.running.values()];
    const main = all.filter((container) => !this.isInit(container));
    const sidecars = all.filter((container) => this.isInit(container)).reverse();
    await Promise.all(main.map((container) => this.end(container)));
    for (const sidecar of sidecars) await this.end(sidecar);
    late.abort();
    await grace;
    await this.close();
    return Object.fromEntries(all.map(({ definition, process }) => [definition.name, process.end!]));
  }

  /** Stops asking, and kills what still runs. */
  async close(): Promise<void> {
    this.stopProbes.abort();
    this.kill();
    await Promise.all([...this.probing, ...[...this.running.values()].map(({ process }) => process.ended)]);
  }

  private kill(): void {
    for (const { process } of this.running.values()) {
      if (process.end === undefined) process.signal('SIGKILL');
    }
  }

  private async end({ definition, process }: RunningContainer): Promise<void> {
    if (definition.lifecycle !== undefined) throw new Error('lifecycle hooks are not rehearsed');
    if (process.end === undefined) {
      this.tell(definition.name, 'SIGTERM');
      process.signal('SIGTERM');
    }
    await process.ended;
  }

  private start(definition: Container): RunningContainer {
    const { objects, folder, workingFolder, secrets } = this.rehearsal;
    const { inRoot } = writeContainerFiles(
      this.pod.spec,
      definition,
      objects,
      join(folder, 'root', definition.name),
      ({ kind, object, key }) => {
        const secret = kind === 'Secret' ? secrets[object]?.[key] : undefined;
        if (secret === undefined) throw new Error(`${kind} ${object} has no ${key} here`);
        return secret;
      },
    );
    const environment = Object.fromEntries(
      Object.entries({
        ...this.rehearsal.links,
        ...environmentOf(this.pod, definition, this.rehearsal),
      }).map(([name, value]) => [name, inRoot(value)]),
    );
    const [program, ...args] = [...(definition.command ?? []), ...(definition.args ?? [])];
    if (program !== 'node') throw new Error(`the command of ${definition.name} is not node: ${program}`);
    mkdirSync(folder, { recursive: true });
    const process = startProcess({
      command: [globalThis.process.execPath, ...args.map(inRoot)],
      folder: workingFolder,
      environment,
      logFile: join(folder, `${definition.name}.log`),
    });
    const container = { definition, process, probes: new ProbeState(definition) };
    this.running.set(definition.name, container);
    this.tell(definition.name, 'process');
    void process.ended.then(() => this.tell(definition.name, 'ended'));
    for (const name of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
      const probe = definition[name];
      if (probe !== undefined) this.probing.push(this.probe(container, name, probe));
    }
    return container;
  }

  /** One probe of a container, again and again, whenever it is its turn. */
  private async probe(container: RunningContainer, name: ProbeName, probe: Probe): Promise<void> {
    const { definition, process, probes } = container;
    const { signal } = this.stopProbes;
    const { periodMs, timeoutMs } = paceOf(probe);
    const pause = (ms: number) => delay(ms, undefined, { signal }).catch(() => undefined);
    await pause((probe.initialDelaySeconds ?? 0) * 1000);
    while (!signal.aborted && process.end === undefined) {
      if (!probes.asked.includes(name)) {
        if (name === 'startupProbe') return;
        await pause(20);
        continue;
      }
      const answer = await answers(definition, probe, timeoutMs);
      if (signal.aborted) return;
      const before = { started: probes.started, ready: probes.ready };
      const verdict = probes.answered(name, answer);
      if (!before.started && probes.started) this.tell(definition.name, 'started');
      if (before.ready !== probes.ready) this.tell(definition.name, probes.ready ? 'ready' : 'unready');
      if (verdict === 'kill') {
        this.tell(definition.name, 'killed');
        process.signal('SIGTERM');
        return;
      }
      await pause(periodMs);
    }
  }

  private container(name: string): RunningContainer {
    const container = this.running.get(name);
    if (container === undefined) throw new Error(`${this.pod.by} runs no container ${name}`);
    return container;
  }

  private isInit({ definition }: RunningContainer): boolean {
    return this.pod.spec.initContainers?.includes(definition) ?? false;
  }

  private has(container: string, what: PodEvent['what']): boolean {
    return this.events.some((event) => event.container === container && event.what === what);
  }

  private tell(container: string, what: PodEvent['what']): void {
    this.events.push({ container, what });
  }

  private troubleOf({ definition, process }: RunningContainer, how: string): Error {
    const output = process.output().split('\n').slice(-15).join('\n');
    return new Error(`container ${definition.name} of ${this.pod.by} ${how}; it wrote:\n${output}`);
  }
}

/** Whether a probe's question is answered well: 200 to 399 in time. */
async function answers(container: Container, probe: Probe, timeoutMs: number): Promise<boolean> {
  if (probe.httpGet === undefined) throw new Error(`a probe of ${container.name} is no httpGet`);
  try {
    const answer = await fetch(addressOf(container, probe.httpGet), {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'manual',
      headers: { connection: 'close' },
    });
    await answer.arrayBuffer();
    return answer.status >= 200 && answer.status < 400;
  } catch {
    return false;
  }
}

function addressOf(container: Container, { scheme = 'HTTP', port, path = '/' }: HttpGet): string {
  return `${scheme.toLowerCase()}://127.0.0.1:${portNumber(container, port)}${path}`;
}

function portNumber(container: Container, port: number | string): number {
  const number =
    typeof port === 'number' ? port : container.ports?.find(({ name }) => name === port)?.containerPort;
  if (number === undefined) throw new Error(`container ${container.name} has no port ${port}`);
  return number;
}
