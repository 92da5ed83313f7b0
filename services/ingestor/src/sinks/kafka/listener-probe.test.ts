import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { probeListener } from './listener-probe.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.close();
  if (server !== undefined) await once(server, 'close');
  server = undefined;
});

/** A listener that answers the question for mechanisms with an error code and these bytes. */
async function listener(errorCode: number, rest: Buffer): Promise<number> {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (request) => {
      const head = Buffer.alloc(10);
      head.writeInt32BE(6 + rest.length, 0);
      request.copy(head, 4, 8, 12);
      head.writeInt16BE(errorCode, 8);
      socket.write(Buffer.concat([head, rest]));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** As Kafka writes it; a length is -1 or below in nothing that it sends. */
function mechanisms(count: number, ...parts: readonly (string | number)[]): Buffer {
  const head = Buffer.alloc(4);
  head.writeInt32BE(count);
  const texts = parts.map((part) => {
    const length = Buffer.alloc(2);
    length.writeInt16BE(typeof part === 'number' ? part : part.length);
    return Buffer.concat([length, Buffer.from(typeof part === 'number' ? '' : part)]);
  });
  return Buffer.concat([head, ...texts]);
}

describe('probeListener', () => {
  it.each<[string, number, Buffer, readonly string[] | null]>([
    ['the mechanisms that are offered', 33, mechanisms(2, 'PLAIN', 'OAUTHBEARER'), ['PLAIN', 'OAUTHBEARER']],
    ['that no login is taken', 34, mechanisms(0), null],
    ['no more than there is', 33, mechanisms(0x7fff_ffff, 'PLAIN'), ['PLAIN']],
    ['nothing from lengths that lead back', 33, mechanisms(0x7fff_ffff, 'PLAIN', -2, 'x'), ['PLAIN']],
  ])('tells %s', async (_what, errorCode, rest, offered) => {
    const port = await listener(errorCode, rest);
    expect(await probeListener('127.0.0.1', port, null)).toEqual({
      speaks: 'plaintext',
      mechanisms: offered,
    });
  });

  it('tells nothing where nobody listens', async () => {
    const port = await listener(0, mechanisms(0));
    server?.close();
    await once(server!, 'close');
    server = undefined;
    expect(await probeListener('127.0.0.1', port, null)).toBeNull();
  });
});
