#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { ConfigError, describeKeys, readConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { startSidecar } from './sidecar.ts';

const HELP = `tickline-sidecar: watches an ingestor of the same pod and tells how it is.

Usage: tickline-sidecar run [--config FILE] [--KEY=VALUE …]
       tickline-sidecar --help | --version

It asks the ingestor's status server again and again and serves
  /          the status page
  /healthz   200 while the sidecar itself runs
  /metrics   connection health for Prometheus
  /status    the ingestor's state, since when and why, and its last status, in JSON
  /fleet     all pods that this sidecar knows (peers.…), and who owns how much, in JSON
  /events    what the page shows, as server-sent events
  /log-level PUT ?level=debug&for=10m: level of the sidecar's and the ingestor's log
With auth.tokenFile all but /healthz and /metrics need Authorization: Bearer, or a login at /login.
SIGUSR2 turns the sidecar's debug level on, and off again.

Keys (FILE is YAML with the same keys; the command line wins over the environment, that over the file):
${describeKeys()}
`;

/** Exit codes: 0 ended by a signal, 1 could not start, 2 wrong usage or configuration. */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  const version = readVersion();
  if (args.length === 1 && args[0] === '--version') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  if (args[0] !== 'run') {
    const given = args[0] === undefined ? 'no command is given' : `${args[0]} is no command`;
    process.stderr.write(`tickline-sidecar: ${given}; try \`tickline-sidecar run\` or --help\n`);
    return 2;
  }
  const config = readConfig({ args: args.slice(1), env: process.env });
  const stopped = signalled();
  const logger = createLogger(config.log.level, process.stdout);
  // Listened to from the beginning: without a listener the signal would end the process.
  let toggleDebug = () => {};
  process.on('SIGUSR2', () => toggleDebug());
  const sidecar = await startSidecar(config, version, logger);
  toggleDebug = () => sidecar.toggleDebug();
  const signal = await stopped;
  logger.log('info', 'stopping', `the sidecar ends on ${signal}`);
  await sidecar.stop();
  await logger.close();
  return 0;
}

function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest && manifest.version;
  return typeof version === 'string' ? version : 'unknown';
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`tickline-sidecar: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
