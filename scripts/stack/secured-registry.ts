import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificate, makeAuthority, makeCertificate } from '../tls/certificates.ts';
import { freePort } from './free-port.ts';
import { installRegistry } from './install.ts';
import { javaCommand } from './java.ts';
import { stacksFolder } from './paths.ts';
import { confluentUrl, registryArguments } from './registry.ts';
import { processServer, type Server } from './server.ts';

/** A user of the registry. */
export interface RegistryUser {
  readonly name: string;
  readonly password: string;
  /** Without it the user is known (no 401) and let in nowhere (403). */
  readonly isAllowed: boolean;
}

/** A schema registry that asks for user and password, over HTTP and HTTPS. */
export interface SecuredRegistry {
  readonly server: Server;
  readonly folder: string;
  /** Base addresses of the Confluent API. */
  readonly url: string;
  readonly tlsUrl: string;
  /** PEM files: the authority of its certificate, and another. */
  readonly ca: string;
  readonly otherCa: string;
  stop(): Promise<void>;
}

/** Starts the registry from its jar. */
export async function startSecuredRegistry(users: readonly RegistryUser[]): Promise<SecuredRegistry> {
  await installRegistry(() => undefined);
  mkdirSync(stacksFolder, { recursive: true });
  const folder = mkdtempSync(join(stacksFolder, `${process.pid}-registry-`));
  const authority = await makeAuthority(folder, 'own');
  const other = await makeAuthority(folder, 'other');
  const certificate = await makeCertificate(authority, folder, 'registry');
  const [port, tlsPort] = [await freePort(), await freePort()];
  const url = confluentUrl(port);
  const server = processServer({
    name: 'registry-secured',
    command: javaCommand(),
    args: [...securityArguments(tlsPort, certificate, users), ...registryArguments(port, folder)],
    cwd: folder,
    logFile: join(folder, 'server.log'),
    timeoutMs: 120_000,
    signal: undefined,
    onStarted: () => undefined,
    prepare: async () => undefined,
    // Without login it refuses: then it is up.
    answers: async () =>
      (await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(3000) })).status === 401,
  });
  await server.start();
  return {
    server,
    folder,
    url,
    tlsUrl: url.replace('http:', 'https:').replace(`:${port}`, `:${tlsPort}`),
    ca: authority.ca,
    otherCa: other.ca,
    async stop() {
      await server.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function securityArguments(
  tlsPort: number,
  { cert, key }: Certificate,
  users: readonly RegistryUser[],
): string[] {
  const embedded = '-Dquarkus.security.users.embedded';
  const permission = '-Dquarkus.http.auth.permission.api';
  return [
    `-Dquarkus.http.ssl-port=${tlsPort}`,
    `-Dquarkus.http.ssl.certificate.files=${cert}`,
    `-Dquarkus.http.ssl.certificate.key-files=${key}`,
    '-Dquarkus.http.insecure-requests=enabled',
    '-Dquarkus.http.auth.basic=true',
    `${embedded}.enabled=true`,
    `${embedded}.plain-text=true`,
    ...users.flatMap(({ name, password, isAllowed }) => [
      `${embedded}.users.${name}=${password}`,
      `${embedded}.roles.${name}=${isAllowed ? 'sr-admin' : 'nobody'}`,
    ]),
    '-Dquarkus.http.auth.policy.admins.roles-allowed=sr-admin',
    `${permission}.paths=/apis/*`,
    `${permission}.policy=admins`,
  ];
}
