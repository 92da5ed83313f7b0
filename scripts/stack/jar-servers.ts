import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { installKafka, installRegistry } from './install.ts';
import { javaCommand } from './java.ts';
import {
  aliveBrokers,
  type BrokerPorts,
  brokerArguments,
  brokerProperties,
  clusterIdIn,
  prepareBroker,
} from './kafka.ts';
import { confluentUrl, registryAnswers, registryArguments } from './registry.ts';
import { processServer, type Server } from './server.ts';
import type { Broker, Servers, ServersContext } from './servers.ts';

/** Kafka and the registry as Java processes, from jars that Maven fetched once. */
export async function jarServers(context: ServersContext): Promise<Servers> {
  const { count, folder, settings, onProgress } = context;
  await installKafka(onProgress);
  if (context.withRegistry) await installRegistry(onProgress);
  context.signal?.throwIfAborted();
  const common = {
    command: javaCommand(),
    timeoutMs: context.timeoutMs,
    onStarted: context.onServerStarted,
    signal: context.signal,
  };

  const ports: BrokerPorts[] = [];
  for (let i = 0; i < count; i++) ports.push({ client: await freePort(), controller: await freePort() });
  const clusterId = clusterIdIn(folder);
  const brokers = ports.map(({ client }, index): Broker => {
    const nodeId = index + 1;
    const own = join(folder, `kafka-${nodeId}`);
    const address = `127.0.0.1:${client}`;
    let metOthers = false;
    const server = processServer({
      ...common,
      name: `kafka-${nodeId}`,
      prepare: () =>
        prepareBroker(own, clusterId, brokerProperties(nodeId, ports, join(own, 'data'), settings)),
      args: brokerArguments(own, count === 1 ? 512 : 384),
      cwd: own,
      logFile: join(own, 'server.log'),
      // The first time all must have found each other; later the others may be down on purpose.
      answers: async () => {
        const alive = await aliveBrokers(address);
        const answers = alive.includes(nodeId) && (metOthers || alive.length === count);
        metOthers ||= answers;
        return answers;
      },
    });
    return Object.assign(server, { nodeId, address });
  });

  let registry: Server | undefined;
  let registryUrl: string | undefined;
  if (context.withRegistry) {
    const port = await freePort();
    const own = join(folder, 'registry');
    const url = confluentUrl(port);
    registryUrl = url;
    registry = processServer({
      ...common,
      name: 'registry',
      prepare: async () => void mkdirSync(own, { recursive: true }),
      args: registryArguments(port, own),
      cwd: own,
      logFile: join(own, 'server.log'),
      answers: () => registryAnswers(url),
    });
  }
  return { brokers, registry, registryUrl, close: async () => undefined };
}
