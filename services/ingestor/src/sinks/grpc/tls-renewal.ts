import { statSync } from 'node:fs';
import type { SinkLog } from '../sink-log.ts';
import { type GrpcTlsSettings, type TlsMaterial, tlsMaterial } from './tls-material.ts';

/** How often the files are looked at: a renewed certificate is shown at most so much later. */
const LOOK_EVERY_MS = 5_000;

/**
 * Takes up the files of `grpc.tls` when they change, for the connections that come then. Files that do not fit
 * each other (one is written, the other not yet) leave the old ones in force, are logged once, and are tried
 * again. Returns what ends it.
 */
export function renewTls(
  settings: GrpcTlsSettings,
  use: (tls: TlsMaterial) => void,
  log: SinkLog,
  everyMs: number = LOOK_EVERY_MS,
): () => void {
  if (!settings.enabled) return () => undefined;
  let used = stateOf(settings);
  let told = '';
  const timer = setInterval(() => {
    const state = stateOf(settings);
    if (state === used) return;
    try {
      const tls = tlsMaterial(settings);
      if (tls !== null) use(tls);
      used = state;
      told = '';
      log.info('grpc-certificate-renewed', 'new connections see the files of grpc.tls as they are now', {
        sink: 'grpc',
      });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== told) {
        log.warn('grpc-certificate-unusable', `the former certificate stays: ${message}`, { sink: 'grpc' });
      }
      told = message;
    }
  }, everyMs).unref();
  return () => clearInterval(timer);
}

/** Changes when a file does; Kubernetes puts another file in its place. */
function stateOf({ certFile, keyFile, clientCaFile }: GrpcTlsSettings): string {
  return [certFile, keyFile, clientCaFile]
    .map((path) => {
      const found = path === null ? undefined : statSync(path, { throwIfNoEntry: false });
      return found === undefined ? '-' : `${found.ino} ${found.mtimeMs} ${found.size}`;
    })
    .join(', ');
}
