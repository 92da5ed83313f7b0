import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { ticklineFolder } from '../../scripts/stack/paths.ts';
import { type SecuredKafka, startSecuredKafka } from '../../scripts/stack/secured-kafka.ts';
import { type SecuredRegistry, startSecuredRegistry } from '../../scripts/stack/secured-registry.ts';
import { eventually } from '../support/eventually.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** A password that is found again wherever it appears, in whatever form: the characters beside the random ones change in a URL. */
export function plantedSecret(what: string): string {
  return `${what}+${randomBytes(9).toString('hex')}/=`;
}

/** Passwords of the users: `pod` runs, `provisioner` makes topics and schemas, `stranger` may do nothing. */
export interface Passwords {
  readonly pod: string;
  readonly provisioner: string;
  readonly stranger: string;
  readonly registry: string;
  readonly passphrase: string;
}

export const PASSWORDS: Passwords = {
  pod: plantedSecret('pod'),
  provisioner: plantedSecret('provisioner'),
  stranger: plantedSecret('stranger'),
  registry: plantedSecret('registry'),
  passphrase: plantedSecret('passphrase'),
};

/** Kafka and the registry, both asking who we are, and a way around Kafka's doors for the test itself. */
export interface SecuredServers {
  readonly kafka: SecuredKafka;
  readonly registry: SecuredRegistry;
  readonly admin: kafkajs.Admin;
  stop(): Promise<void>;
}

export async function startSecuredServers(): Promise<SecuredServers> {
  const users = (['pod', 'provisioner', 'stranger'] as const).map((name) => ({
    name,
    password: PASSWORDS[name],
  }));
  const [kafka, registry] = await Promise.all([
    startSecuredKafka(users, PASSWORDS.passphrase),
    startSecuredRegistry([
      { name: 'tickline', password: PASSWORDS.registry, isAllowed: true },
      { name: 'stranger', password: PASSWORDS.stranger, isAllowed: false },
    ]),
  ]);
  const admin = new kafkajs.Kafka({ brokers: [kafka.open], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  return {
    kafka,
    registry,
    admin,
    async stop() {
      await admin.disconnect();
      await Promise.all([kafka.stop(), registry.stop()]);
    },
  };
}

/** Settings by their keys; null takes one back. */
export type Settings = Readonly<Record<string, string | null>>;

/** A folder for files that hold passwords, below `.tickline/`. */
export class SecretFolder {
  readonly path: string;

  constructor() {
    mkdirSync(ticklineFolder, { recursive: true });
    this.path = mkdtempSync(join(ticklineFolder, 'secrets-'));
  }

  file(name: string, content: string): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }

  /** The settings of a login to Kafka by password file. */
  login(user: 'pod' | 'provisioner' | 'stranger'): Settings {
    return {
      'kafka.sasl.username': user,
      'kafka.sasl.passwordFile': this.file(user, `${PASSWORDS[user]}\n`),
    };
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Flags of an ingestor with TLS and login everywhere; rights are the test's to give. */
export function securedFlags(
  { kafka, registry }: SecuredServers,
  folder: SecretFolder,
  prefix: string,
  changes: Settings,
): string[] {
  const all: Settings = {
    'kafka.brokers': kafka.login,
    'kafka.topicPrefix': prefix,
    'kafka.ssl.enabled': 'true',
    'kafka.ssl.caFile': kafka.ca,
    'kafka.sasl.mechanism': 'scram-sha-512',
    ...folder.login('pod'),
    'registry.url': registry.tlsUrl,
    'registry.caFile': registry.ca,
    'registry.username': 'tickline',
    'registry.passwordFile': folder.file('registry', PASSWORDS.registry),
    'topics.partitions': '2',
    ...changes,
  };
  return Object.entries(all).flatMap(([key, value]) => (value === null ? [] : [`--${key}=${value}`]));
}

/** What `provision` needs, and no more (docs/kafka-security.md). */
export function provisionRights(prefix: string): kafkajs.AclEntry[] {
  return (['CREATE', 'DESCRIBE', 'DESCRIBE_CONFIGS'] as const).map((right) =>
    topicAcl('provisioner', right, prefix),
  );
}

/** An ACL that allows a user something on the topics of a prefix. */
export function topicAcl(
  user: string,
  operation: 'CREATE' | 'DESCRIBE' | 'DESCRIBE_CONFIGS' | 'WRITE' | 'READ',
  prefix: string,
): kafkajs.AclEntry {
  return {
    resourceType: AclResourceTypes.TOPIC,
    resourceName: prefix,
    resourcePatternType: ResourcePatternTypes.PREFIXED,
    principal: `User:${user}`,
    host: '*',
    operation: AclOperationTypes[operation],
    permissionType: AclPermissionTypes.ALLOW,
  };
}

/** Adds ACLs and waits until the broker holds to them: they come to it by the metadata log, a moment later. */
export async function allow(admin: kafkajs.Admin, acls: kafkajs.AclEntry[]): Promise<void> {
  await admin.createAcls({ acl: acls });
  for (const acl of acls) await eventually('the broker has the ACL', async () => await holds(admin, acl));
}

/** Takes ACLs back, likewise. */
export async function withdraw(admin: kafkajs.Admin, acls: kafkajs.AclEntry[]): Promise<void> {
  await admin.deleteAcls({ filters: acls });
  for (const acl of acls) {
    await eventually('the broker has the ACL no more', async () => !(await holds(admin, acl)));
  }
}

async function holds(admin: kafkajs.Admin, acl: kafkajs.AclEntry): Promise<boolean> {
  return (await admin.describeAcls(acl)).resources.length > 0;
}
