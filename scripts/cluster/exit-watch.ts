import type { Cluster } from './cluster.ts';
import type { RunningCommand } from './command.ts';

/** A line for each change of a pod: its name, and the exit code of its ingestor once that has ended. */
const FORMAT =
  '{.metadata.name}{" "}{.status.containerStatuses[?(@.name=="ingestor")].state.terminated.exitCode}{"\\n"}';

/** Hears with which exit code each of the release's ingestors ends: 0 is a drain in which everything was acknowledged. */
export class ExitWatch {
  private readonly watch: RunningCommand;

  constructor(cluster: Cluster) {
    const args = ['get', 'pods', `--selector=${cluster.ingestors}`, '--watch', `--output=jsonpath=${FORMAT}`];
    this.watch = cluster.startKubectl(args, 3_600_000);
  }

  /** Pods by the exit code of their ingestor; null where it was not heard. The watch ends. */
  async stop(): Promise<Map<string, number | null>> {
    this.watch.kill();
    const { stdout } = await this.watch.ended;
    return exitCodesIn(stdout);
  }
}

/** The last word on each pod. */
export function exitCodesIn(lines: string): Map<string, number | null> {
  const codes = new Map<string, number | null>();
  for (const line of lines.split('\n')) {
    const [name = '', code = ''] = line.split(' ');
    if (name !== '') codes.set(name, code === '' ? (codes.get(name) ?? null) : Number(code));
  }
  return codes;
}
