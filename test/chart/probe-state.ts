import type { Container, Probe, ProbeName } from './kubernetes-objects.ts';

/** What the kubelet makes of a container's probes: pure, told of each answer. */
export class ProbeState {
  private startedBy: 'probe' | 'no probe' | undefined;
  private isReady: boolean;
  private readonly runs = new Map<ProbeName, { ok: boolean; count: number }>();
  private readonly container: Container;

  /** A container whose process has just started. */
  constructor(container: Container) {
    this.container = container;
    this.startedBy = container.startupProbe === undefined ? 'no probe' : undefined;
    this.isReady = container.readinessProbe === undefined;
  }

  /** Whether the startup probe has passed, or there is none. */
  get started(): boolean {
    return this.startedBy !== undefined;
  }

  /** Whether the container counts as ready: never before it has started. */
  get ready(): boolean {
    return this.started && this.isReady;
  }

  /** The probes that are asked now: the startup probe alone until it passes, then the others. */
  get asked(): readonly ProbeName[] {
    if (!this.started) return ['startupProbe'];
    return (['livenessProbe', 'readinessProbe'] as const).filter(
      (probe) => this.container[probe] !== undefined,
    );
  }

  /**
   * One answer of a probe; returns `kill` when the kubelet ends the container because of it: after
   * failureThreshold failures in a row of the startup or the liveness probe. Those of readiness make it unready.
   * (Kubernetes documentation, "Liveness, Readiness, and Startup Probes".)
   */
  answered(name: ProbeName, ok: boolean): 'kill' | undefined {
    const probe = this.container[name];
    if (probe === undefined || !this.asked.includes(name)) return undefined;
    const last = this.runs.get(name);
    const run = { ok, count: last?.ok === ok ? last.count + 1 : 1 };
    this.runs.set(name, run);
    const threshold = ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
    if (run.count < threshold) return undefined;
    if (name === 'readinessProbe') this.isReady = ok;
    else if (!ok) return 'kill';
    else if (name === 'startupProbe') this.startedBy = 'probe';
    return undefined;
  }
}

/** Milliseconds from one question of a probe to the next, and for an answer. */
export function paceOf(probe: Probe): { readonly periodMs: number; readonly timeoutMs: number } {
  return { periodMs: (probe.periodSeconds ?? 10) * 1000, timeoutMs: (probe.timeoutSeconds ?? 1) * 1000 };
}
