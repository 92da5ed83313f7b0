import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificate, makeAuthority, makeCertificate } from '../tls/certificates.ts';
import { freePort } from './free-port.ts';
import { installKafka } from './install.ts';
import { javaCommand } from './java.ts';
import { aliveBrokers, brokerArguments, brokerProperties, clusterIdIn, prepareBroker } from './kafka.ts';
import { stacksFolder } from './paths.ts';
import { processServer, type Server } from './server.ts';

/** Who may log in, by SASL PLAIN and both SCRAM mechanisms alike. */
export interface KafkaUser {
  readonly name: string;
  /** Without quotes, brackets and semicolons. */
  readonly password: string;
}

/** One broker with several doors, all of one data: which certificate it shows and what it asks for differ. */
export interface SecuredKafka {
  readonly server: Server;
  readonly folder: string;
  /** Without TLS and login, for the test's own work: its user may do everything. */
  readonly open: string;
  /** TLS, login by PLAIN or SCRAM. */
  readonly login: string;
  /** TLS, and a certificate of the client's: its principal is `User:CN=…`. */
  readonly mutual: string;
  /** As `login`, without SCRAM-SHA-512. */
  readonly noScram512: string;
  /** As `login`, with a certificate that has expired. */
  readonly expired: string;
  /** As `login`, with a certificate for another host. */
  readonly otherHost: string;
  /** PEM files: the authority of the broker's certificates and of clients'; another that nobody knows. */
  readonly ca: string;
  readonly otherCa: string;
  /** Certificates of the principal `User:CN=client`. */
  readonly client: Certificate;
  /** Its key is encrypted. */
  readonly clientWithPassphrase: Certificate;
  readonly expiredClient: Certificate;
  /** Of an authority that the broker does not know. */
  readonly strangeClient: Certificate;
  stop(): Promise<void>;
}

const DOORS = ['login', 'mutual', 'noScram512', 'expired', 'otherHost'] as const;
type Door = (typeof DOORS)[number];

/**
 * Starts Kafka with TLS, SASL and ACLs (StandardAuthorizer, nobody may do anything until ACLs allow it), from
 * jars. `passphrase` is that of the client's encrypted key.
 */
export async function startSecuredKafka(
  users: readonly KafkaUser[],
  passphrase: string,
): Promise<SecuredKafka> {
  await installKafka(() => undefined);
  mkdirSync(stacksFolder, { recursive: true });
  const folder = mkdtempSync(join(stacksFolder, `${process.pid}-secured-`));
  const [authority, other] = [await makeAuthority(folder, 'own'), await makeAuthority(folder, 'other')];
  const make = (name: string, options = {}) => makeCertificate(authority, folder, name, options);
  const broker = await make('broker');
  const certificates: Record<Door, Certificate> = {
    login: broker,
    mutual: broker,
    noScram512: broker,
    expired: await make('expired', { isExpired: true }),
    otherHost: await make('other-host', { hosts: 'DNS:kafka.example.com' }),
  };
  const client = await make('client');
  const clientWithPassphrase = await make('locked', { commonName: 'client', passphrase });
  const expiredClient = await make('late', { commonName: 'client', isExpired: true });
  const strangeClient = await makeCertificate(other, folder, 'strange', { commonName: 'client' });

  const ports = { client: await freePort(), controller: await freePort() };
  const addresses = {} as Record<Door, string>;
  for (const door of DOORS) addresses[door] = `127.0.0.1:${await freePort()}`;
  const open = `127.0.0.1:${ports.client}`;
  const clients = [
    `PLAINTEXT://${open}`,
    ...DOORS.map((door) => `${door.toUpperCase()}://${addresses[door]}`),
  ];
  const protocols = DOORS.map((door) => `${door.toUpperCase()}:${door === 'mutual' ? 'SSL' : 'SASL_SSL'}`);
  const plainUsers = users.map(({ name, password }) => `user_${name}="${password}"`).join(' ');
  const settings: Record<string, string> = {
    listeners: [...clients, `CONTROLLER://127.0.0.1:${ports.controller}`].join(','),
    'advertised.listeners': clients.join(','),
    'listener.security.protocol.map': ['PLAINTEXT:PLAINTEXT', 'CONTROLLER:PLAINTEXT', ...protocols].join(','),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  };
  for (const door of DOORS) {
    const at = `listener.name.${door.toLowerCase()}`;
    const { cert, key } = certificates[door];
    const store = join(folder, `${door}-store.pem`);
    writeFileSync(store, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'));
    Object.assign(settings, {
      [`${at}.ssl.keystore.type`]: 'PEM',
      [`${at}.ssl.keystore.location`]: store,
      [`${at}.ssl.truststore.type`]: 'PEM',
      [`${at}.ssl.truststore.location`]: authority.ca,
      [`${at}.ssl.client.auth`]: door === 'mutual' ? 'required' : 'none',
    });
    if (door === 'mutual') continue;
    const mechanisms = ['PLAIN', 'SCRAM-SHA-256', ...(door === 'noScram512' ? [] : ['SCRAM-SHA-512'])];
    settings[`${at}.sasl.enabled.mechanisms`] = mechanisms.join(',');
    settings[`${at}.plain.sasl.jaas.config`] =
      `org.apache.kafka.common.security.plain.PlainLoginModule required ${plainUsers};`;
    for (const mechanism of mechanisms.slice(1)) {
      settings[`${at}.${mechanism.toLowerCase()}.sasl.jaas.config`] =
        'org.apache.kafka.common.security.scram.ScramLoginModule required;';
    }
  }
  const server = processServer({
    name: 'kafka-secured',
    command: javaCommand(),
    args: brokerArguments(folder, 384),
    cwd: folder,
    logFile: join(folder, 'server.log'),
    timeoutMs: 120_000,
    signal: undefined,
    onStarted: () => undefined,
    prepare: () =>
      prepareBroker(
        folder,
        clusterIdIn(folder),
        brokerProperties(1, [ports], join(folder, 'data'), settings),
        users.flatMap((user) => [
          { ...user, mechanism: 'SCRAM-SHA-256' as const },
          { ...user, mechanism: 'SCRAM-SHA-512' as const },
        ]),
      ),
    answers: async () => (await aliveBrokers(open)).includes(1),
  });
  await server.start();
  return {
    server,
    folder,
    open,
    ...addresses,
    ca: authority.ca,
    otherCa: other.ca,
    client,
    clientWithPassphrase,
    expiredClient,
    strangeClient,
    async stop() {
      await server.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
