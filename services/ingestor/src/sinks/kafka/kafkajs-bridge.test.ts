import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SILENT_LOG } from '../sink-log.ts';
import type { KafkaAccess } from './access.ts';
import { KafkajsBridge } from './kafkajs-bridge.ts';
import { withDefaults } from './options.ts';
import { encodeProduce } from './produce-request.ts';

/** Only ends a wait that hangs: a busy machine takes its time. */
const WAIT_MS = 30_000;

const PRODUCE = 0;
const METADATA = 3;
const API_VERSIONS = 18;

/** Integers of 2 or 4 bytes and strings, as Kafka's protocol writes them. */
function fields(...values: readonly (readonly [2 | 4, number] | string)[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const [size, number] = typeof value === 'string' ? [2, value.length] : value;
      const head = Buffer.alloc(size);
      head.writeIntBE(number, 0, size);
      return typeof value === 'string' ? Buffer.concat([head, Buffer.from(value)]) : head;
    }),
  );
}

/** A broker that says who it is, and then nothing to what it is asked for. */
class HangingBroker {
  hangs = PRODUCE;
  /** Called when it was asked what it does not answer. */
  onHang: () => void = () => undefined;
  readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((socket) => {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => undefined);
    let waiting = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      waiting = Buffer.concat([waiting, chunk]);
      while (waiting.length >= 4 && waiting.length >= 4 + waiting.readInt32BE(0)) {
        const end = 4 + waiting.readInt32BE(0);
        this.asked(socket, waiting.readInt16BE(4), waiting.readInt32BE(8));
        waiting = waiting.subarray(end);
      }
    });
  });

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `127.0.0.1:${this.port}`;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private asked(socket: Socket, apiKey: number, correlationId: number): void {
    if (apiKey === this.hangs) {
      this.onHang();
      return;
    }
    const body = apiKey === API_VERSIONS ? versions() : metadata(this.port);
    socket.write(Buffer.concat([fields([4, 4 + body.length], [4, correlationId]), body]));
  }
}

/** ApiVersions, version 2. */
function versions(): Buffer {
  const api = (key: number, highest: number) => fields([2, key], [2, 0], [2, highest]);
  return Buffer.concat([
    fields([2, 0], [4, 3]),
    api(PRODUCE, 7),
    api(METADATA, 6),
    api(API_VERSIONS, 2),
    fields([4, 0]),
  ]);
}

/** Metadata, version 6: this broker as node 1, no topics. */
function metadata(port: number): Buffer {
  return fields([4, 0], [4, 1], [4, 1], '127.0.0.1', [4, port], [2, -1], [2, -1], [4, 1], [4, 0]);
}

const BODY = encodeProduce([{ topic: 'md.trades', partition: 0, batch: new Uint8Array(61) }], 80);

describe('KafkajsBridge', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    vi.restoreAllMocks();
    for (const close of closing.splice(0)) await close();
  });

  async function create(ssl: KafkaAccess['ssl']): Promise<{ broker: HangingBroker; bridge: KafkajsBridge }> {
    const broker = new HangingBroker();
    const address = await broker.listen();
    const bridge = new KafkajsBridge(
      withDefaults({
        brokers: [address],
        clientId: 'test',
        access: () => ({ ssl, sasl: null }),
        topicPrefix: 'md.',
        requestTimeoutMs: 100,
        log: SILENT_LOG,
      }),
    );
    closing.push(
      () => bridge.close(),
      () => broker.close(),
    );
    return { broker, bridge };
  }

  async function connected(): Promise<{ broker: HangingBroker; bridge: KafkajsBridge }> {
    const created = await create(null);
    await created.bridge.metadata([]);
    return created;
  }

  it('leaves no timer behind that keeps the process alive when it is closed while it connects', async () => {
    const set = vi.spyOn(globalThis, 'setTimeout');
    const cleared = vi.spyOn(globalThis, 'clearTimeout');
    // It takes the beginning of a TLS handshake for a request, and waits for the rest.
    const { broker, bridge } = await create({});
    const asked = expect(bridge.metadata([])).rejects.toThrow('closed');
    await vi.waitFor(() => expect(broker.sockets.size).toBe(1), WAIT_MS);
    await bridge.close();
    await asked;
    const long = set.mock.calls.flatMap(([, ms], call) =>
      ms === 10_000 ? [set.mock.results[call]!.value] : [],
    );
    expect(long.length).toBeGreaterThanOrEqual(2);
    await vi.waitFor(() => {
      for (const timer of long) expect(cleared.mock.calls.map(([which]) => which)).toContain(timer);
    }, WAIT_MS);
  });

  it('gives a hung broker up after the timeout, with its connection', async () => {
    const { broker, bridge } = await connected();
    await expect(bridge.produce(1, BODY)).rejects.toMatchObject({ name: 'BridgeError', sent: true });
    await vi.waitFor(() => expect(broker.sockets.size).toBe(0), WAIT_MS);
  });

  // kafkajs measures by the wall clock: a clock that is set back by an hour makes its timeouts an hour longer.
  it.each([
    ['a Produce request', PRODUCE, (bridge: KafkajsBridge) => bridge.produce(1, BODY)],
    ['a Metadata request', METADATA, (bridge: KafkajsBridge) => bridge.metadata([])],
  ])('gives a hung broker up though the clock was set back: %s', async (_what, hangs, ask) => {
    const { broker, bridge } = await connected();
    broker.hangs = hangs;
    const real = Date.now;
    broker.onHang = () => {
      vi.spyOn(Date, 'now').mockImplementation(() => real() - 3_600_000);
    };
    await expect(ask(bridge)).rejects.toMatchObject({ name: 'BridgeError', sent: true });
    await vi.waitFor(() => expect(broker.sockets.size).toBe(0), WAIT_MS);
  });
});
