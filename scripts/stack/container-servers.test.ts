import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { environmentName, projectName } from './container-servers.ts';
import { kafkaVersion, registryVersion } from './install.ts';
import { repositoryRoot } from './paths.ts';

describe('the container way', () => {
  it('names settings as Kafka’s image reads them', () => {
    expect(environmentName('log.dirs')).toBe('KAFKA_LOG_DIRS');
    expect(environmentName('a.b_c-d')).toBe('KAFKA_A_B__C___D');
  });

  it('makes a project name that Compose takes', () => {
    expect(projectName('/x/.tickline/stacks/12-aB_c9')).toBe('tickline-12-ab-c9');
  });

  it('runs the versions that the jars have', () => {
    const compose = readFileSync(join(repositoryRoot, 'compose.yaml'), 'utf8');
    const pom = readFileSync(join(repositoryRoot, 'scripts/stack/pom.xml'), 'utf8');
    const version = (artifact: string) => pom.split(artifact)[1]?.match(/<version>([^<]+)/)?.[1];
    expect(version('>kafka_2.13<')).toBe(kafkaVersion);
    expect(version('>kafka-tools<')).toBe(kafkaVersion);
    expect(compose).toContain(`image: apache/kafka:${kafkaVersion}\n`);
    expect(compose).toContain(`image: apicurio/apicurio-registry:${registryVersion}\n`);
  });

  it('listens on 127.0.0.1 only', () => {
    const ports = readFileSync(join(repositoryRoot, 'compose.yaml'), 'utf8').match(/ports: .*/g);
    expect(ports).toHaveLength(4);
    for (const port of ports ?? [])
      expect(port).toMatch(/^ports: \["127\.0\.0\.1:\$\{TICKLINE_\w+_PORT:-\d+\}:\d+"\]$/);
  });
});
