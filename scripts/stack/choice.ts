import { spawnSync } from 'node:child_process';
import { kafkaInstalled, registryInstalled } from './install.ts';
import { javaCommand, parseJavaVersion } from './java.ts';

/** How the servers run: as Java processes from jars, or as containers by Docker Compose. */
export type StackKind = 'jars' | 'docker';

/** What this machine has. */
export interface MachineTools {
  /** Major version of Java, if there is one. */
  readonly java: number | undefined;
  readonly maven: boolean;
  /** The jars were fetched before, so Maven is not needed any more. */
  readonly jarsInstalled: boolean;
  /** An engine answers `docker info`. Asked only when needed: it may take seconds. */
  readonly docker: () => boolean;
}

/** Looks at this machine. */
export function machineTools(): MachineTools {
  const run = (command: string, ...args: string[]) =>
    spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 });
  return {
    java: parseJavaVersion(run(javaCommand(), '-version').stderr ?? ''),
    maven: run('mvn', '--version').status === 0,
    jarsInstalled: kafkaInstalled() && registryInstalled(),
    docker: () => run('docker', 'info').status === 0 && run('docker', 'compose', 'version').status === 0,
  };
}

/**
 * Chooses how the stack runs: as `wanted` says (the environment's `STACK`), else from jars where Java 17 and
 * Maven are there, else by Docker Compose where an engine answers. Throws, naming both ways, if none is there.
 */
export function chooseStack(wanted: string | undefined, tools: MachineTools): StackKind {
  if (wanted !== undefined && wanted !== '' && wanted !== 'jars' && wanted !== 'docker') {
    throw new Error(`STACK=${wanted} is not known: use STACK=jars or STACK=docker`);
  }
  const missing: string[] = [];
  if (tools.java === undefined) missing.push('no java was found');
  else if (tools.java < 17) missing.push(`java is version ${tools.java}`);
  if (!tools.maven && !tools.jarsInstalled) missing.push('no mvn was found');

  if (wanted !== 'docker' && missing.length === 0) return 'jars';
  if (wanted === 'jars')
    throw new Error(`STACK=jars needs Java 17 or later and Maven: ${missing.join(', ')}`);
  if (tools.docker()) return 'docker';
  if (wanted === 'docker') {
    throw new Error(
      'STACK=docker needs an engine that answers `docker info`, and `docker compose`: one of them does not answer',
    );
  }
  throw new Error(
    'Kafka and the schema registry can run here in two ways, and neither is possible: ' +
      `STACK=jars needs Java 17 or later and Maven (${missing.join(', ')}); ` +
      'STACK=docker needs an engine that answers `docker info`, and `docker compose` (one of them does not answer)',
  );
}
