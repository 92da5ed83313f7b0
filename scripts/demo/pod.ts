import { join } from 'node:path';
import { type PodStatus, readPodStatus } from '@tickline/schemas';
import { type ManagedProcess, startNode } from '../processes/managed-process.ts';
import { repositoryRoot } from '../stack/paths.ts';
import { RateMeter } from './rate-meter.ts';

const ingestor = join(repositoryRoot, 'services/ingestor/src/main.ts');
const sidecar = join(repositoryRoot, 'services/sidecar/src/main.ts');

const START_MS = 60_000;
const ANSWER_MS = 2_000;

/** What the sidecar answers about the health of its pod. */
export interface Health {
  readonly healthy: boolean;
  readonly text: string;
}

/** The sidecar's `GET /healthz`, as far as we need it. */
interface SidecarHealth {
  readonly ingestor: { readonly state: string; readonly reason: string };
}

/** What everything that starts processes needs to know. */
export interface ProcessContext {
  /** Where logs go. */
  readonly folder: string;
  /** Aborted when the start is given up. */
  readonly signal: AbortSignal;
  /** Told of every process as soon as it is there, so that none is forgotten. */
  readonly started: (process: ManagedProcess) => void;
}

/** Creates the topics and subjects that are missing, as `provision` does anywhere. */
export async function provision(configFile: string, context: ProcessContext): Promise<void> {
  const process = startNode(
    'provision command',
    [ingestor, 'provision', `--config=${configFile}`],
    join(context.folder, 'provision.log'),
    context.signal,
  );
  context.started(process);
  const { code } = await process.ended;
  context.signal.throwIfAborted();
  if (code !== 0) throw process.deathNotice();
}

/** One ingestor with its sidecar beside it, as in a Kubernetes pod. */
export class Pod {
  readonly index: number;
  readonly ingestor: ManagedProcess;
  readonly sidecar: ManagedProcess;
  /** The last status that was answered. */
  status: PodStatus | null = null;
  health: Health = { healthy: false, text: 'no answer yet' };
  private readonly statusUrl: string;
  private readonly sidecarUrl: string;
  /** CPU time per wall time, over the last seconds. */
  cpuPercent = 0;
  private readonly cpu = new RateMeter();

  private constructor(
    index: number,
    ingestorProcess: ManagedProcess,
    sidecarProcess: ManagedProcess,
    statusUrl: string,
    sidecarUrl: string,
  ) {
    this.index = index;
    this.ingestor = ingestorProcess;
    this.sidecar = sidecarProcess;
    this.statusUrl = statusUrl;
    this.sidecarUrl = sidecarUrl;
  }

  /** @param flags further settings of this pod alone, as `--key=value` */
  static async start(
    index: number,
    configFile: string,
    flags: readonly string[],
    context: ProcessContext,
  ): Promise<Pod> {
    const { folder, signal, started } = context;
    const ingestorProcess = startNode(
      `ingestor of pod ${index}`,
      [ingestor, 'run', `--config=${configFile}`, `--shard.index=${index}`, ...flags],
      join(folder, `pod-${index}-ingestor.log`),
      signal,
    );
    started(ingestorProcess);
    const statusUrl = await ingestorProcess.line(listening('statusUrl'), 'to serve its status', START_MS);
    const sidecarProcess = startNode(
      `sidecar of pod ${index}`,
      [sidecar, 'run', `--ingestor.url=${statusUrl}/status`, '--listen.port=0'],
      join(folder, `pod-${index}-sidecar.log`),
      signal,
    );
    started(sidecarProcess);
    const sidecarUrl = await sidecarProcess.line(listening('url'), 'to answer', START_MS);
    return new Pod(index, ingestorProcess, sidecarProcess, statusUrl, sidecarUrl);
  }

  /** Asks both processes how they are. One that does not answer keeps what it said last. */
  async poll(): Promise<void> {
    await Promise.all([this.pollStatus(), this.pollHealth()]);
  }

  private async pollStatus(): Promise<void> {
    try {
      const response = await fetch(`${this.statusUrl}/status`, { signal: AbortSignal.timeout(ANSWER_MS) });
      const status = readPodStatus(await response.json());
      this.cpuPercent = this.cpu.read(status.now, status.cpuSeconds) * 100;
      this.status = status;
    } catch {
      // It is busy or ends: its process and its sidecar tell more.
    }
  }

  private async pollHealth(): Promise<void> {
    try {
      const response = await fetch(`${this.sidecarUrl}/healthz`, { signal: AbortSignal.timeout(ANSWER_MS) });
      this.health = healthOf((await response.json()) as SidecarHealth);
    } catch {
      this.health = { healthy: false, text: 'no answer' };
    }
  }
}

/** Finds an address in the log line that says where a program listens. */
function listening(key: string): (line: Record<string, unknown>) => string | undefined {
  return (line) => {
    if (line.event !== 'listening') return undefined;
    const data = (line.data ?? line) as Record<string, unknown>;
    const url = data[key] ?? line[key];
    return typeof url === 'string' ? url : undefined;
  };
}

function healthOf({ ingestor: { state, reason } }: SidecarHealth): Health {
  return { healthy: state === 'up', text: state === 'up' ? 'up' : `${state}: ${reason}` };
}
