import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../scripts/stack/free-port.ts';
import { ticklineFolder } from '../../scripts/stack/paths.ts';
import { processServer } from '../../scripts/stack/server.ts';

/** What Prometheus is to scrape: an address, and the labels that the chart's monitors would give it. */
export interface Target {
  /** Base address, without `/metrics`. */
  readonly url: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A series of an answer, with its value now. */
export interface Answer {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A real Prometheus that scrapes every second. */
export interface PrometheusServer {
  /** Takes these targets in the place of those before. */
  scrape(targets: readonly Target[]): void;
  /** Evaluates an expression now; throws with Prometheus' words when it is refused. */
  query(expr: string): Promise<Answer[]>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

/** Starts Prometheus on a free port of 127.0.0.1. */
export async function startPrometheus(): Promise<PrometheusServer> {
  const port = await freePort();
  const parent = join(ticklineFolder, 'prometheus');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, `${port}-`));
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(
    join(folder, 'prometheus.yaml'),
    stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: [
        { job_name: 'tickline', file_sd_configs: [{ files: ['targets.json'], refresh_interval: '1s' }] },
      ],
    }),
  );
  const scrape = (targets: readonly Target[]): void => {
    const groups = targets.map((target) => ({
      targets: [new URL(target.url).host],
      labels: target.labels,
    }));
    // At once: half a file would be no targets at all.
    writeFileSync(join(folder, 'targets.new'), JSON.stringify(groups));
    renameSync(join(folder, 'targets.new'), join(folder, 'targets.json'));
  };
  scrape([]);
  const server = processServer({
    name: `prometheus-${port}`,
    command: 'prometheus',
    args: [
      '--config.file=prometheus.yaml',
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    cwd: folder,
    logFile: join(folder, 'server.log'),
    timeoutMs: 30_000,
    signal: undefined,
    prepare: async () => {},
    onStarted: () => {},
    answers: async () => (await fetch(`${url}/-/ready`)).ok,
  });
  await server.start();
  return {
    scrape,
    async query(expr) {
      const answer = await fetch(`${url}/api/v1/query`, {
        method: 'POST',
        body: new URLSearchParams({ query: expr }),
      });
      const { data, error } = (await answer.json()) as {
        error?: string;
        data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      if (data === undefined) throw new Error(`Prometheus refuses ${expr}: ${error}`);
      return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    async remove() {
      await server.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
