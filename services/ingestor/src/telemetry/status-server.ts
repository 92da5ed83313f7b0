import type { PodStatus } from '@tickline/schemas';
import type { Registry } from 'prom-client';
import { type HttpListener, isLoopback, json, listen } from './http-listener.ts';
import type { LogLevelSwitch } from './log-level-switch.ts';
import type { Logger } from './logger.ts';
import { type Redact, redactingReplacer } from './redactor.ts';

/** Yes or no, and one sentence why. */
export interface Health {
  readonly ok: boolean;
  readonly reason: string;
}

/** What the status server tells. Everything is read from memory and cheap. */
export interface StatusSource {
  status(): PodStatus;
  /** False when only a restart helps. That the event loop turns is shown by the answer itself. */
  live(): Health;
  /** False while the pod starts or drains. */
  ready(): Health;
}

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

/**
 * Serves `GET /status` ({@link PodStatus}), `/livez` and `/readyz` (200 or 503, body {@link Health}), `GET` and
 * `PUT /log-level` ({@link LogLevelSwitch}), on loopback only: it is for the sidecar in the same pod. Rejects when `host` is another address or the port is taken;
 * settings are named `status.host` and `status.port`.
 */
export async function startStatusServer(
  address: ListenAddress,
  source: StatusSource,
  redact: Redact,
  levels: LogLevelSwitch,
  logger: Logger,
): Promise<HttpListener> {
  if (!isLoopback(address.host)) {
    throw new Error(
      `status.host: ${address.host} can be reached from outside the pod; set it to 127.0.0.1 (metrics.host is the one for outside)`,
    );
  }
  const replacer = redactingReplacer(redact);
  const health = (read: () => Health) => () => {
    const answer = read();
    return json(answer.ok ? 200 : 503, answer, replacer);
  };
  return await listen({
    what: 'status server',
    settings: { host: 'status.host', port: 'status.port' },
    ...address,
    routes: {
      '/status': () => json(200, source.status(), replacer),
      '/livez': health(() => source.live()),
      '/readyz': health(() => source.ready()),
      '/log-level': () => json(200, { level: levels.level }),
    },
    changes: {
      '/log-level': (query) => {
        const change = levels.change(query.get('level'), query.get('for'), 'the status server');
        return typeof change === 'string' ? json(400, { error: change }) : json(200, change);
      },
    },
    failed: (path, error) => logger.error('status-failed', `${path} could not be answered`, { error }),
  });
}

/**
 * Serves `GET /metrics` for Prometheus, on a listener of its own: unlike the status it is read from outside the
 * pod. For the kubelet's probes it answers `/livez` and `/readyz` with one word and no detail. Rejects when it
 * can't listen; settings are named `metrics.host` and `metrics.port`.
 */
export async function startMetricsServer(
  address: ListenAddress,
  registry: Registry,
  source: Pick<StatusSource, 'live' | 'ready'>,
  logger: Logger,
): Promise<HttpListener> {
  const word = (read: () => Health, yes: string, no: string) => () => {
    const { ok } = read();
    return { status: ok ? 200 : 503, contentType: 'text/plain', body: `${ok ? yes : no}\n` };
  };
  return await listen({
    what: 'metrics server',
    settings: { host: 'metrics.host', port: 'metrics.port' },
    ...address,
    routes: {
      '/metrics': async () => ({
        status: 200,
        contentType: registry.contentType,
        body: await registry.metrics(),
      }),
      '/livez': word(() => source.live(), 'live', 'dead'),
      '/readyz': word(() => source.ready(), 'ready', 'unready'),
    },
    failed: (path, error) => logger.error('metrics-failed', `${path} could not be answered`, { error }),
  });
}
