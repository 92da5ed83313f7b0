import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RECORD_TOPICS } from '@tickline/schemas';
import { afterEach, describe, expect, it } from 'vitest';
import { loadSections, readCommandLine } from './config.ts';
import {
  RegistryClient,
  RegistryRefusedError,
  RegistryUnreachableError,
  registeredSchema,
} from './registry-client.ts';
import { resolveSchemaIds, SchemasMissingError } from './schema-ids.ts';

let server: Server | undefined;

afterEach(
  () =>
    new Promise((resolve) => {
      if (server === undefined) return resolve(undefined);
      server.closeAllConnections();
      server.close(resolve);
    }),
);

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** A registry that gives this answer to everything; undefined: none at all. */
async function registry(
  answer: (asked: Asked) => { status: number; body: string } | undefined,
): Promise<string> {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const found = answer({ method, url, authorization: headers.authorization, body });
      if (found !== undefined)
        response.writeHead(found.status, { 'content-type': 'application/json' }).end(found.body);
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function sections(url: string, env: Record<string, string> = {}, ...more: string[]) {
  const line = readCommandLine([`--registry.url=${url}`, '--kafka.brokers=localhost:9092', ...more]);
  return loadSections(line, env, ['kafka', 'registry']);
}

const notAborted = new AbortController().signal;

function ask(url: string, ...more: string[]): Promise<number | null> {
  const client = new RegistryClient(sections(url, {}, ...more).registry, notAborted);
  return client.idOf('md.trades-value', '"string"').finally(() => client.close());
}

describe('RegistryClient', () => {
  it('tells a missing schema from a server that is no registry', async () => {
    const missing = await registry(() => ({ status: 404, body: '{"error_code":40403,"message":"no"}' }));
    await expect(ask(missing)).resolves.toBeNull();
  });

  it.each([
    ['a web server', 404, '<html>not here</html>', /registry\.url.*no schema registry/],
    ['one that is ill', 503, '{}', /registry\.url.*503/],
    ['an answer without an id', 200, '{"subject":"x"}', /no id/],
  ])('says that %s is not reached', async (_, status, body, message) => {
    const url = await registry(() => ({ status, body }));
    await expect(ask(url)).rejects.toThrow(message);
    await expect(ask(url)).rejects.toBeInstanceOf(RegistryUnreachableError);
  });

  it.each([
    [401, '{"message":"who?"}', /registry\.username.*registry\.passwordFile/],
    [422, '{"error_code":42201,"message":"Invalid Avro"}', /Invalid Avro/],
  ])('passes on a refusal: %i', async (status, body, message) => {
    const url = await registry(() => ({ status, body }));
    await expect(ask(url)).rejects.toThrow(message);
    await expect(ask(url)).rejects.toBeInstanceOf(RegistryRefusedError);
  });

  it('gives up after registry.timeoutMs', async () => {
    const url = await registry(() => undefined);
    await expect(ask(url, '--registry.timeoutMs=100')).rejects.toThrow('registry.timeoutMs');
  });

  it('gives up when it is told to', async () => {
    const stop = new AbortController();
    const url = await registry(() => {
      stop.abort();
      return undefined;
    });
    const client = new RegistryClient(sections(url).registry, stop.signal);
    await expect(client.latestVersion('a')).rejects.toThrow(/abort/i);
    client.close();
  });

  it('registers nothing to find ids, and asks with user and password', async () => {
    const asked: Asked[] = [];
    const url = await registry((each) => {
      asked.push(each);
      return { status: 200, body: JSON.stringify({ id: asked.length + 10 }) };
    });
    const config = sections(url, { TICKLINE_REGISTRY_PASSWORD: 'secret' }, '--registry.username=reader');
    const ids = await resolveSchemaIds(config, notAborted);
    expect(Object.keys(ids).sort()).toEqual([...RECORD_TOPICS].sort());
    expect(asked.map(({ method, url: path }) => `${method} ${path}`).sort()).toEqual([
      'POST /subjects/md.quotes-value',
      'POST /subjects/md.status-value',
      'POST /subjects/md.trades-value',
    ]);
    for (const { authorization } of asked) {
      expect(authorization).toBe(`Basic ${Buffer.from('reader:secret').toString('base64')}`);
    }
    const trades = asked.find(({ url: path }) => path.includes('trades'));
    expect(JSON.parse(trades?.body ?? '')).toEqual({ schema: registeredSchema('trades') });
  });

  it('names what is to be done when schemas are missing', async () => {
    const url = await registry(({ url: path }) =>
      path.includes('quotes')
        ? { status: 404, body: '{"error_code":40401}' }
        : { status: 200, body: '{"id":1}' },
    );
    await expect(resolveSchemaIds(sections(url), notAborted)).rejects.toThrow(
      /lacks our schema of md\.quotes-value: run `tickline-ingestor provision`/,
    );
    await expect(resolveSchemaIds(sections(url), notAborted)).rejects.toBeInstanceOf(SchemasMissingError);
  });
});
