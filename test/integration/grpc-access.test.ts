import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  ChannelCredentials,
  Client,
  status as codes,
  Metadata,
  makeGenericClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import { type GetStatusResponse, MarketDataService, type MarketDataStub } from '@tickline/schemas/grpc';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import type { GrpcSettings } from '../../services/ingestor/src/sinks/grpc/settings.ts';
import { entry, SimulatedPod } from '../../services/ingestor/src/sinks/grpc/testing/simulated-pod.ts';
import {
  bearer,
  StreamReader,
  stubOf,
  subscribeRequest,
} from '../../services/ingestor/src/sinks/grpc/testing/stream-reader.ts';
import { eventually } from '../support/eventually.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const scratch = join(repositoryRoot, '.tickline');
let folder = '';
beforeAll(() => {
  mkdirSync(scratch, { recursive: true });
  folder = mkdtempSync(join(scratch, 'grpc-access-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function podWith(settings: Partial<GrpcSettings>): Promise<SimulatedPod> {
  const pod = await SimulatedPod.start(settings, [entry('binance', 'BTC-USDT')]);
  closers.push(() => pod.stop());
  return pod;
}

function clientOf(pod: SimulatedPod, credentials?: ChannelCredentials): MarketDataStub {
  const stub = stubOf(pod.address, credentials);
  closers.push(() => stub.close());
  return stub;
}

function statusOf(stub: MarketDataStub, metadata = new Metadata()): Promise<GetStatusResponse> {
  return new Promise((resolve, reject) =>
    stub.getStatus({}, metadata, { deadline: Date.now() + 20_000 }, (error, answer) =>
      error === null ? resolve(answer) : reject(error),
    ),
  );
}

/** A reader that was there before, and must not notice anything. */
async function bystander(pod: SimulatedPod, stub: MarketDataStub, metadata?: Metadata) {
  const reader = await StreamReader.open(stub, {}, metadata);
  return async () => {
    const trade = pod.trade('binance', 'BTC-USDT');
    await eventually('the bystander goes on', () => {
      const last = reader.records.at(-1);
      return last?.kind === 'trade' && last.record.sequence === trade.sequence ? true : undefined;
    });
    expect(reader.records.map(({ record }) => record)).toEqual(pod.appended);
  };
}

describe('a token', () => {
  function tokenFile(text: string): string {
    const file = join(folder, 'token');
    writeFileSync(file, text);
    return file;
  }

  it('is needed for every call but the health check, and must be one of the file', async () => {
    const pod = await podWith({ tokenFile: tokenFile('old-secret\nnew-secret\n') });
    const stub = clientOf(pod);
    const goesOn = await bystander(pod, stub, bearer('old-secret'));
    for (const [metadata, words] of [
      [new Metadata(), 'a token is needed: send the metadata "authorization: Bearer TOKEN"'],
      [bearer('wrong'), 'the token is not one of grpc.tokenFile'],
      [bearer('old-secre'), 'the token is not one of grpc.tokenFile'],
      [bearer('old-secret new-secret'), 'the token is not one of grpc.tokenFile'],
    ] as const) {
      await expect(statusOf(stub, metadata)).rejects.toMatchObject({
        code: codes.UNAUTHENTICATED,
        details: words,
      });
      const end = await new StreamReader(stub.subscribe(subscribeRequest({}), metadata)).ended;
      expect(end).toMatchObject({ code: codes.UNAUTHENTICATED, details: words });
    }
    expect((await statusOf(stub, bearer('new-secret'))).clients).toBe(1);
    expect(await healthOf(pod, '')).toMatch(/SERVING/);
    await expect(reflectionOf(pod, { list_services: '*' })).rejects.toMatchObject({
      code: codes.UNAUTHENTICATED,
    });
    await goesOn();
  });

  it('that is in no file refuses to start, and names the setting', async () => {
    await expect(podWith({ tokenFile: tokenFile(' \n') })).rejects.toThrow(/grpc\.tokenFile.*no token/);
    await expect(podWith({ tokenFile: join(folder, 'none') })).rejects.toThrow(/grpc\.tokenFile/);
  });
});

describe('TLS', () => {
  const file = (name: string) => join(folder, name);
  const pem = (name: string) => readFileSync(file(name));

  beforeAll(() => {
    const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
    for (const ca of ['ca', 'other-ca']) {
      openssl(
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
        ...['-subj', `/CN=${ca}`, '-keyout', file(`${ca}.key`), '-out', file(`${ca}.pem`)],
      );
    }
    writeFileSync(file('extensions'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    for (const [name, ca] of [
      ['server', 'ca'],
      ['client', 'ca'],
      ['stranger', 'other-ca'],
    ] as const) {
      openssl(
        ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`],
        ...['-keyout', file(`${name}.key`), '-out', file(`${name}.csr`)],
      );
      openssl(
        ...[
          'x509',
          '-req',
          '-in',
          file(`${name}.csr`),
          '-CA',
          file(`${ca}.pem`),
          '-CAkey',
          file(`${ca}.key`),
        ],
        ...['-CAcreateserial', '-days', '2', '-extfile', file('extensions'), '-out', file(`${name}.pem`)],
      );
    }
  });

  const withTls = (clientCaFile: string | null) =>
    podWith({
      tls: { enabled: true, certFile: file('server.pem'), keyFile: file('server.key'), clientCaFile },
    });
  const trusting = (ca: string, client?: string) =>
    client === undefined
      ? ChannelCredentials.createSsl(pem(`${ca}.pem`))
      : ChannelCredentials.createSsl(pem(`${ca}.pem`), pem(`${client}.key`), pem(`${client}.pem`));

  it('serves clients that trust the certificate, and no others', async () => {
    const pod = await withTls(null);
    const goesOn = await bystander(pod, clientOf(pod, trusting('ca')));
    await expect(statusOf(clientOf(pod, trusting('other-ca')))).rejects.toMatchObject({
      code: codes.UNAVAILABLE,
    });
    await expect(statusOf(clientOf(pod))).rejects.toMatchObject({ code: codes.UNAVAILABLE });
    await goesOn();
  });

  it('with certificates of clients refuses those without, or with a wrong one, by a sentence', async () => {
    const pod = await withTls(file('ca.pem'));
    const goesOn = await bystander(pod, clientOf(pod, trusting('ca', 'client')));
    for (const [credentials, words] of [
      [trusting('ca'), /a client certificate is needed, signed by grpc\.tls\.clientCaFile/],
      [trusting('ca', 'stranger'), /certificate is not accepted .* grpc\.tls\.clientCaFile/],
    ] as const) {
      const stub = clientOf(pod, credentials);
      await expect(statusOf(stub)).rejects.toMatchObject({
        code: codes.UNAUTHENTICATED,
        details: expect.stringMatching(words),
      });
      const end = await new StreamReader(stub.subscribe(subscribeRequest({}))).ended;
      expect(end.code).toBe(codes.UNAUTHENTICATED);
      await expect(healthOf(pod, '', credentials)).rejects.toMatchObject({ code: codes.UNAUTHENTICATED });
    }
    await goesOn();
  });

  it.each([
    [{ enabled: true, certFile: null, keyFile: null, clientCaFile: null }, /grpc\.tls\.certFile is not set/],
    [{ enabled: false, certFile: 'x', keyFile: null, clientCaFile: null }, /grpc\.tls\.enabled is false/],
    [{ enabled: true, certFile: 'none', keyFile: 'none', clientCaFile: null }, /certFile can't be read/],
  ])('refuses to start with %j', async (tls, words) => {
    await expect(podWith({ tls })).rejects.toThrow(words);
  });
});

describe('requests that are none', () => {
  const subscribePath = MarketDataService.subscribe.path;

  /** One call with these bytes as its request. */
  function raw(pod: SimulatedPod, path: string, bytes: Buffer): Promise<ServiceError> {
    const client = new Client(pod.address, ChannelCredentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    closers.push(() => client.close());
    return new Promise((resolve, reject) => {
      const same = (value: Buffer) => value;
      client
        .makeServerStreamRequest(path, same, same, bytes)
        .on('error', resolve)
        .on('end', () => reject(new Error('served')));
    });
  }

  it('malformed, huge and of no method: each with its code, and a bystander goes on', async () => {
    const pod = await podWith({ maxRequestBytes: 4096 });
    const goesOn = await bystander(pod, clientOf(pod));
    const malformed = Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2]);
    expect(await raw(pod, subscribePath, malformed)).toMatchObject({
      code: codes.INVALID_ARGUMENT,
      details: expect.stringMatching(/no SubscribeRequest of tickline\.market_data\.v1/),
    });
    expect(await raw(pod, MarketDataService.listInstruments.path, malformed)).toMatchObject({
      code: codes.INVALID_ARGUMENT,
    });
    expect(await raw(pod, subscribePath, Buffer.alloc(4097))).toMatchObject({
      code: codes.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('4096'),
    });
    expect(await raw(pod, subscribePath, Buffer.alloc(3_000_000))).toMatchObject({
      code: codes.RESOURCE_EXHAUSTED,
    });
    expect(await raw(pod, '/tickline.market_data.v1.MarketData/Nothing', Buffer.alloc(0))).toMatchObject({
      code: codes.UNIMPLEMENTED,
    });
    await goesOn();
  });

  it('bytes that are no HTTP/2 end their connection only', async () => {
    const pod = await podWith({});
    const goesOn = await bystander(pod, clientOf(pod));
    const socket = await opened(pod);
    socket.write('GET / HTTP/1.0\r\n\r\n'.repeat(1000));
    await eventually('closed', () => socket.closed || undefined);
    await goesOn();
  });
});

describe('connections', () => {
  it('1,000 idle ones keep nobody out and make no difference to who is served', async () => {
    const pod = await podWith({ maxConnections: 300, maxClients: 2 });
    const goesOn = await bystander(pod, clientOf(pod));
    const idle = await Promise.all(Array.from({ length: 1000 }, () => opened(pod)));
    await eventually('all above the limit are closed', () =>
      idle.filter((socket) => !socket.closed).length <= 299 ? true : undefined,
    );
    expect(idle.filter((socket) => !socket.closed).length).toBeGreaterThan(200);
    const stub = clientOf(pod);
    await goesOn();
    const late = await StreamReader.open(stub);
    const refused = await new StreamReader(clientOf(pod).subscribe(subscribeRequest({}))).ended;
    expect(refused).toMatchObject({
      code: codes.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('grpc.maxClients'),
    });
    await goesOn();
    late.call.cancel();
  });

  it('are closed when their client does not answer a ping', async () => {
    const pod = await podWith({ keepaliveMs: 100, keepaliveTimeoutMs: 100 });
    // It takes the server's frames and answers none.
    const socket = await opened(pod);
    socket.write(HTTP2_PREFACE);
    await eventually('closed', () => socket.closed || undefined);
  });

  it('are closed after a while without a call, and their clients come back by themselves', async () => {
    const pod = await podWith({ maxIdleMs: 100 });
    const stub = clientOf(pod);
    await statusOf(stub);
    await eventually('it is closed', () => stub.getChannel().getConnectivityState(false) !== 2 || undefined);
    expect((await statusOf(stub)).phase).toBe('running');
  });
});

describe('the standard services', () => {
  it('health follows the pod', async () => {
    const pod = await podWith({});
    await eventually('serving', async () => ((await healthOf(pod, '')) === 'SERVING' ? true : undefined));
    expect(await healthOf(pod, 'tickline.market_data.v1.MarketData')).toBe('SERVING');
    await expect(healthOf(pod, 'nothing')).rejects.toMatchObject({ code: codes.NOT_FOUND });
  });

  it('reflection names the services and hands out their descriptions', async () => {
    const pod = await podWith({});
    const list = await reflectionOf(pod, { list_services: '*' });
    const names = list.list_services_response?.service.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['tickline.market_data.v1.MarketData', 'grpc.health.v1.Health']),
    );
    const described = await reflectionOf(pod, {
      file_containing_symbol: 'tickline.market_data.v1.MarketData',
    });
    const [bytes] = described.file_descriptor_response?.file_descriptor_proto ?? [];
    expect(bytes?.includes('fill_count')).toBe(true);
  });
});

/** The preface of HTTP/2 and an empty SETTINGS frame (RFC 9113 section 3.4). */
const HTTP2_PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

function opened(pod: SimulatedPod): Promise<Socket> {
  const [host, port] = pod.address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host);
    closers.push(() => socket.destroy());
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
    socket.on('error', () => undefined);
    socket.resume();
  });
}

interface HealthAnswer {
  readonly status: string;
}

function healthOf(pod: SimulatedPod, service: string, credentials?: ChannelCredentials): Promise<string> {
  const definition = loadSync('health/v1/health.proto', {
    enums: String,
    includeDirs: [join(repositoryRoot, 'node_modules/grpc-health-check/proto')],
  })['grpc.health.v1.Health'] as ServiceDefinition;
  const client = clientFor(definition, pod, credentials);
  const check = definition.Check!;
  return new Promise((resolve, reject) =>
    client.makeUnaryRequest<object, HealthAnswer>(
      check.path,
      check.requestSerialize,
      check.responseDeserialize as (bytes: Buffer) => HealthAnswer,
      { service },
      (error, answer) => (error === null ? resolve(answer!.status) : reject(error)),
    ),
  );
}

interface ReflectionAnswer {
  readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
  readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
}

function reflectionOf(pod: SimulatedPod, request: object): Promise<ReflectionAnswer> {
  const definition = loadSync('grpc/reflection/v1/reflection.proto', {
    keepCase: true,
    includeDirs: [join(repositoryRoot, 'node_modules/@grpc/reflection/build/proto')],
  })['grpc.reflection.v1.ServerReflection'] as ServiceDefinition;
  const client = clientFor(definition, pod);
  const info = definition.ServerReflectionInfo!;
  return new Promise((resolve, reject) => {
    const call = client.makeBidiStreamRequest<object, ReflectionAnswer>(
      info.path,
      info.requestSerialize,
      info.responseDeserialize as (bytes: Buffer) => ReflectionAnswer,
    );
    call.on('error', reject);
    call.on('data', (answer: ReflectionAnswer) => {
      resolve(answer);
      call.end();
    });
    call.write(request);
  });
}

function clientFor(
  definition: ServiceDefinition,
  pod: SimulatedPod,
  credentials?: ChannelCredentials,
): Client {
  const Constructor = makeGenericClientConstructor(definition, 'service');
  const client = new Constructor(pod.address, credentials ?? ChannelCredentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  closers.push(() => client.close());
  return client;
}
