import { createHash } from 'node:crypto';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';
import { FrameSocket } from './frame-socket.ts';
import type { SessionEnding } from './session-ending.ts';

/** Only ends a wait that hangs: a busy machine takes its time. */
const WAIT_MS = 30_000;

const settings = { frameBytes: 1000, permessageDeflate: false, connectTimeoutMs: 5000 };
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const opened: { servers: Server[]; sockets: FrameSocket[] } = { servers: [], sockets: [] };
afterEach(() => {
  for (const socket of opened.sockets.splice(0)) {
    socket.terminate({ reason: 'test', detail: '', code: null, status: null, retryAfterMs: null });
  }
  for (const server of opened.servers.splice(0)) server.close();
});

/** A server that shakes hands and then lets the test write bytes; `answer` replaces the handshake. */
async function rawServer(answer?: string): Promise<{ address: string; socket: Promise<Socket> }> {
  const server = createServer();
  opened.servers.push(server);
  const socket = new Promise<Socket>((resolve) => {
    server.on('connection', (client) => {
      client.on('error', () => undefined);
      client.once('data', (head) => {
        const key = /sec-websocket-key: (.+)\r\n/i.exec(head.toString('latin1'))?.[1] ?? '';
        const accept = createHash('sha1')
          .update(key + GUID)
          .digest('base64');
        const shake = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
        client.write(answer ?? shake, () => resolve(client));
      });
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, socket };
}

/** A frame of a server (RFC 6455 section 5.2), at most 125 bytes or with a 16-bit length. */
function frame(opcode: number, payload: Buffer | string, fin = true): Buffer {
  const body = Buffer.from(payload);
  const head = body.length < 126 ? [body.length] : [126, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([(fin ? 128 : 0) | opcode, ...head]), body]);
}

interface Seen {
  readonly texts: string[];
  readonly times: number[];
  readonly ends: SessionEnding[];
  opens: number;
  pings: number;
}

function dial(address: string): { socket: FrameSocket; seen: Seen } {
  const seen: Seen = { texts: [], times: [], ends: [], opens: 0, pings: 0 };
  const socket = new FrameSocket(address, settings, systemClock(), {
    opened: () => {
      seen.opens++;
    },
    frame: (bytes, start, end) => {
      seen.texts.push(Buffer.from(bytes.subarray(start, end)).toString('latin1'));
      seen.times.push(socket.receiveTime);
    },
    pinged: () => {
      seen.pings++;
    },
    closed: (end) => seen.ends.push(end),
  });
  opened.sockets.push(socket);
  return { socket, seen };
}

describe('FrameSocket', () => {
  it('hands on text, binary and fragmented messages whole, bytes that are not UTF-8 included', async () => {
    const { address, socket } = await rawServer();
    const { seen } = dial(address);
    const peer = await socket;
    peer.write(frame(1, 'text'));
    peer.write(frame(2, 'binary'));
    peer.write(frame(1, 'in ', false));
    peer.write(frame(9, 'are you there'));
    peer.write(frame(0, 'three ', false));
    peer.write(frame(0, 'parts'));
    peer.write(frame(1, Buffer.from([0xff, 0xfe])));
    peer.write(frame(1, 'last'));
    await vi.waitFor(() => expect(seen.texts.at(-1)).toBe('last'), WAIT_MS);
    expect(seen.texts).toEqual(['text', 'binary', 'in three parts', '\xff\xfe', 'last']);
    expect([seen.opens, seen.pings]).toEqual([1, 1]);
  });

  it('reads the clock once for the messages of one chunk, even those that came with the handshake', async () => {
    const { address, socket } = await rawServer();
    const before = Date.now() * 1000;
    const { seen } = dial(address);
    const peer = await socket;
    peer.write(Buffer.concat([frame(1, 'a'), frame(1, 'b'), frame(1, 'c')]));
    await vi.waitFor(() => expect(seen.texts).toHaveLength(3), WAIT_MS);
    expect(new Set(seen.times).size).toBe(1);
    expect(seen.times[0]).toBeGreaterThanOrEqual(before);
    peer.write(frame(1, 'later'));
    await vi.waitFor(() => expect(seen.texts).toHaveLength(4), WAIT_MS);
    expect(seen.times[3]).toBeGreaterThan(seen.times[0]!);
  });

  it('tells a refused upgrade with its status and Retry-After', async () => {
    const { address } = await rawServer(
      'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n',
    );
    const { seen } = dial(address);
    await vi.waitFor(() => expect(seen.ends).toHaveLength(1), WAIT_MS);
    expect(seen.ends[0]).toMatchObject({ reason: 'refused-429', status: 429, retryAfterMs: 7000 });
    expect(seen.ends[0]!.detail).toContain(new URL(address).host);
    expect(seen.opens).toBe(0);
  });

  it('tells a failed connection with host and cause', async () => {
    const { address } = await rawServer();
    const { host } = new URL(address);
    await new Promise((resolve) => opened.servers.pop()!.close(resolve));
    const { seen } = dial(address);
    await vi.waitFor(() => expect(seen.ends).toHaveLength(1), WAIT_MS);
    expect(seen.ends[0]!.reason).toBe('connect');
    expect(seen.ends[0]!.detail).toMatch(new RegExp(`${host}.*ECONNREFUSED`));
  });

  it('tells the close code and text, and 1006 when there was no close frame', async () => {
    const first = await rawServer();
    const one = dial(first.address);
    const reason = Buffer.from('go away');
    (await first.socket).write(frame(8, Buffer.concat([Buffer.from([1008 >> 8, 1008 & 255]), reason])));
    await vi.waitFor(() => expect(one.seen.ends).toHaveLength(1), WAIT_MS);
    expect(one.seen.ends[0]).toMatchObject({ reason: 'closed-1008', code: 1008 });
    expect(one.seen.ends[0]!.detail).toContain('go away');

    const second = await rawServer();
    const two = dial(second.address);
    const peer = await second.socket;
    peer.write(frame(1, 'hello'));
    await vi.waitFor(() => expect(two.seen.texts).toEqual(['hello']), WAIT_MS);
    peer.destroy();
    await vi.waitFor(() => expect(two.seen.ends).toHaveLength(1), WAIT_MS);
    expect(two.seen.ends[0]).toMatchObject({ reason: 'closed-1006', code: 1006 });
  });

  it('ends on a message above the limit, as an error', async () => {
    const { address, socket } = await rawServer();
    const { seen } = dial(address);
    (await socket).write(frame(1, 'x'.repeat(1001)));
    await vi.waitFor(() => expect(seen.ends).toHaveLength(1), WAIT_MS);
    expect(seen.ends[0]!.reason).toBe('error');
    expect(seen.texts).toEqual([]);
  });

  it('cuts at once when told to: one end, and no frame after it', async () => {
    const { address, socket } = await rawServer();
    const { socket: own, seen } = dial(address);
    const peer = await socket;
    await vi.waitFor(() => expect(seen.opens).toBe(1), WAIT_MS);
    own.terminate({ reason: 'silent', detail: '', code: null, status: null, retryAfterMs: null });
    expect(seen.ends.map(({ reason }) => reason)).toEqual(['silent']);
    const gone = new Promise((resolve) => peer.once('close', resolve));
    peer.write(frame(1, 'late'));
    peer.resume();
    await gone;
    expect([seen.ends.length, seen.texts.length]).toEqual([1, 0]);
  });

  it('does not read while paused, and delivers what came meanwhile after', async () => {
    const { address, socket } = await rawServer();
    const { socket: own, seen } = dial(address);
    const peer = await socket;
    await vi.waitFor(() => expect(seen.opens).toBe(1), WAIT_MS);
    own.pause();
    await new Promise((resolve) => peer.write(frame(1, 'held'), resolve));
    // A second connection proves that the loop has turned and the bytes were there to read.
    const other = await rawServer();
    const second = dial(other.address);
    (await other.socket).write(frame(1, 'x'));
    await vi.waitFor(() => expect(second.seen.texts).toEqual(['x']), WAIT_MS);
    expect(seen.texts).toEqual([]);
    own.resume();
    await vi.waitFor(() => expect(seen.texts).toEqual(['held']), WAIT_MS);
  });
});
