import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Authority,
  type CertificateOptions,
  makeAuthority,
  makeCertificate,
} from '../../scripts/tls/certificates.ts';
import { loadSections, readCommandLine } from '../../services/ingestor/src/config.ts';
import { RegistryClient, RegistryTlsError } from '../../services/ingestor/src/registry-client.ts';
import { SecretFolder } from './secured-servers.ts';

let folder: SecretFolder;
let authority: Authority;
let server: Server | undefined;

beforeAll(async () => {
  folder = new SecretFolder();
  authority = await makeAuthority(folder.path, 'own');
});
afterEach(async () => {
  await new Promise<unknown>((resolve) => (server === undefined ? resolve(null) : server.close(resolve)));
  server = undefined;
});
afterAll(() => folder?.remove());

/** A registry that answers whom its certificate convinces. */
async function clientOf(name: string, certificate: CertificateOptions): Promise<RegistryClient> {
  const { cert, key } = await makeCertificate(authority, folder.path, name, certificate);
  server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (_request, response) =>
    response.end('{"version":7}'),
  );
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const flags = [`--registry.url=https://127.0.0.1:${port}`, `--registry.caFile=${authority.ca}`];
  const { registry } = loadSections(readCommandLine(flags), {}, ['registry']);
  return new RegistryClient(registry, new AbortController().signal);
}

describe('the registry’s certificate', () => {
  it('is taken when it is good', async () => {
    const client = await clientOf('good', {});
    expect(await client.latestVersion('md.trades-value')).toBe(7);
    client.close();
  });

  it.each<[string, CertificateOptions, RegExp]>([
    [
      'has expired',
      { isExpired: true },
      /\(registry\.url\): its certificate has expired and must be renewed/,
    ],
    [
      'is for another host',
      { hosts: 'DNS:registry.example.com' },
      /\(registry\.url\): its certificate is not for this host: name it in registry\.url/,
    ],
  ])('%s: one sentence that names the setting', async (what, certificate, message) => {
    const client = await clientOf(what.replaceAll(' ', '-'), certificate);
    const refused = await client.latestVersion('md.trades-value').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RegistryTlsError);
    expect((refused as Error).message).toMatch(message);
    client.close();
  });
});
