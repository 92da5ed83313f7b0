import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { SinkContext } from '../sink-context.ts';
import { GrpcSink } from './grpc-sink.ts';
import { settingsWith } from './testing/simulated-pod.ts';

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** What became of an attempt to connect. */
async function connecting(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return 'connected';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'failed';
  } finally {
    socket.destroy();
  }
}

const ignore = () => undefined;
const nobody: SinkContext = {
  shard: { index: 0, count: 1 },
  log: { error: ignore, warn: ignore, info: ignore, debug: ignore },
  learnSecret: ignore,
  directory: () => [],
  directoryVersion: () => 0,
  status: () => {
    throw new Error('nobody asks for the status');
  },
};

describe('a gRPC sink that is closed while it starts', () => {
  it('listens to nobody afterwards: an open port would keep the process alive', async () => {
    const port = await freePort();
    const sink = new GrpcSink(settingsWith({ port }), nobody);
    const started = sink.start({ full() {}, drained() {}, lost() {}, repeated() {} });
    await sink.close();
    await started;
    expect(await connecting(port)).toBe('ECONNREFUSED');
    expect(sink.status()).toMatchObject({ healthy: false });
  });
});
