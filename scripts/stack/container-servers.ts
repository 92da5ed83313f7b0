import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { freePort } from './free-port.ts';
import { aliveBrokers, clusterIdIn, commonSettings } from './kafka.ts';
import { repositoryRoot } from './paths.ts';
import { confluentUrl, registryAnswers } from './registry.ts';
import { runTool } from './run-tool.ts';
import type { Server, StopSignal } from './server.ts';
import type { Broker, Servers, ServersContext } from './servers.ts';
import { waitUntil } from './wait-until.ts';

const allBrokers = [1, 2, 3] as const;

/** The environment variable by which Kafka's image takes a setting: `log.dirs` → `KAFKA_LOG_DIRS` (the image's README). */
export function environmentName(setting: string): string {
  const name = setting.replaceAll('_', '__').replaceAll('-', '___').replaceAll('.', '_');
  return `KAFKA_${name.toUpperCase()}`;
}

/** The Compose project of a stack, from its folder's name; what Compose takes: lower case, digits, dashes. */
export function projectName(folder: string): string {
  return `tickline-${basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')}`;
}

/**
 * Kafka and the registry as containers, by `compose.yaml`. Nobody has run this way yet: where the project is
 * built there is no container engine.
 */
export async function containerServers(context: ServersContext): Promise<Servers> {
  const { count, folder, signal } = context;
  if (context.keepData) throw new Error('a data folder can be kept with STACK=jars only');
  const project = projectName(folder);
  const ports = {
    brokers: [await freePort(), await freePort(), await freePort()],
    registry: await freePort(),
  };
  const nodeIds = allBrokers.slice(0, count);

  mkdirSync(folder, { recursive: true });
  const override = join(folder, 'compose.override.json');
  const settings = { ...commonSettings(count), ...context.settings };
  const environment = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [environmentName(key), value]),
  );
  writeFileSync(
    override,
    JSON.stringify({ services: Object.fromEntries(nodeIds.map((id) => [`kafka-${id}`, { environment }])) }),
  );
  const args = ['compose', '-p', project, '-f', join(repositoryRoot, 'compose.yaml'), '-f', override];
  const env = {
    ...process.env,
    TICKLINE_KAFKA_CLUSTER_ID: clusterIdIn(folder),
    TICKLINE_KAFKA_VOTERS: nodeIds.map((id) => `${id}@kafka-${id}:29093`).join(','),
    TICKLINE_REGISTRY_PORT: String(ports.registry),
    ...Object.fromEntries(ports.brokers.map((port, i) => [`TICKLINE_KAFKA_${i + 1}_PORT`, String(port)])),
  };
  const compose = (...command: string[]): Promise<string> =>
    runTool('docker', [...args, ...command], { env });
  const removeAtExit = (): void => {
    spawnSync('docker', [...args, 'down', '-v', '-t', '0'], { env, stdio: 'ignore' });
  };
  process.once('exit', removeAtExit);

  const server = (name: string, answers: () => Promise<boolean>): Server => ({
    name,
    pid: undefined,
    logFile: join(folder, `${name}.log`),
    async start() {
      signal?.throwIfAborted();
      // An existing container is started again with its data; --no-deps: one server at a time.
      await compose('up', '-d', '--no-deps', '--no-recreate', name);
      try {
        await waitUntil(async () => (await answers()) || undefined, {
          what: `${name} to answer`,
          timeoutMs: context.timeoutMs,
          signal,
        });
      } catch (error) {
        signal?.throwIfAborted();
        const log = await compose('logs', '--tail', '20', name);
        throw new Error(
          `${error instanceof Error ? error.message : String(error)}. Its last log lines:\n${log}`,
        );
      }
    },
    async stop(how: StopSignal = 'SIGTERM') {
      await (how === 'SIGTERM' ? compose('stop', '-t', '20', name) : compose('kill', '-s', 'SIGKILL', name));
    },
  });

  context.onProgress('pulling the images, if they are not there');
  await compose(
    'pull',
    '--quiet',
    ...nodeIds.map((id) => `kafka-${id}`),
    ...(context.withRegistry ? ['registry'] : []),
  );
  const url = confluentUrl(ports.registry);
  return {
    brokers: nodeIds.map((nodeId): Broker => {
      const address = `127.0.0.1:${ports.brokers[nodeId - 1]}`;
      let metOthers = false;
      const answers = async (): Promise<boolean> => {
        const alive = await aliveBrokers(address);
        const all = alive.includes(nodeId) && (metOthers || alive.length === count);
        metOthers ||= all;
        return all;
      };
      return { ...server(`kafka-${nodeId}`, answers), nodeId, address };
    }),
    registry: context.withRegistry ? server('registry', () => registryAnswers(url)) : undefined,
    registryUrl: context.withRegistry ? url : undefined,
    async close() {
      await compose('down', '-v', '-t', '0');
      process.off('exit', removeAtExit);
    },
  };
}
