/**
 * Plays an ingestor towards the sidecar, in a process of its own that can be killed and stopped: the real status
 * server with a status of one connection. Arguments: port, producer, reconnects by silence so far.
 */
import type { PodStatus } from '@tickline/schemas';
import { LogLevelSwitch } from '../../services/ingestor/src/telemetry/log-level-switch.ts';
import { startStatusServer } from '../../services/ingestor/src/telemetry/status-server.ts';

const [port, producer, silences] = process.argv.slice(2) as [string, string, string];
const startedAt = Date.now();

function status(): PodStatus {
  const now = Date.now();
  return {
    version: '0.1.0',
    producer,
    pid: process.pid,
    startedAt,
    now,
    phase: 'running',
    shard: { index: 0, count: 2 },
    ready: true,
    notReady: null,
    cpuSeconds: 0,
    rssBytes: 0,
    exchanges: [],
    connections: [
      {
        exchange: 'kraken',
        connection: 'kraken-0',
        state: 'open',
        session: 's1',
        openedAt: startedAt,
        lastFrameAt: now,
        lastDataAt: now,
        messages: 1,
        reconnects: { silence: Number(silences) },
        subscriptions: { requested: 0, acknowledged: 0, live: 2, stale: 0, rejected: 0 },
      },
    ],
    notLive: [],
    sinks: [],
  };
}

const health = () => ({ ok: true, reason: 'played' });
const logger = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  child: () => logger,
  admits: () => true,
};
await startStatusServer(
  { host: '127.0.0.1', port: Number(port) },
  { status, live: health, ready: health },
  (text) => text,
  new LogLevelSwitch({ level: 'info', setLevel: () => {}, info: () => {}, warn: () => {} }),
  logger,
);
