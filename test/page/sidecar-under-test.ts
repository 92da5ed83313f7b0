import { Writable } from 'node:stream';
import { readConfig } from '../../services/sidecar/src/config.ts';
import { createLogger } from '../../services/sidecar/src/logger.ts';
import { type Sidecar, startSidecar } from '../../services/sidecar/src/sidecar.ts';

/** A real sidecar in this process, and what it logs. */
export interface SidecarUnderTest extends Sidecar {
  readonly log: () => string;
}

/** Starts a sidecar that asks often and gives up soon. `flags` are further settings, `--key=value`. */
export async function startTestSidecar(ingestorUrl: string, ...flags: string[]): Promise<SidecarUnderTest> {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const config = readConfig({
    args: [
      `--ingestor.url=${ingestorUrl}`,
      '--ingestor.pollMs=100',
      '--ingestor.timeoutMs=500',
      '--listen.port=0',
      '--peers.pollMs=100',
      '--peers.timeoutMs=500',
      ...flags,
    ],
    env: {},
  });
  const sidecar = await startSidecar(config, '0.1.0', createLogger(config.log.level, stream));
  return { ...sidecar, log: () => text };
}
