#!/usr/bin/env node
import { readFileSync } from 'node:fs';

const HELP = `tickline-ingestor: exchange WebSockets in, exact normalized ticks out

  tickline-ingestor run        run one shard until SIGTERM
  tickline-ingestor check      is a configuration valid, and do the exchanges list its symbols
  tickline-ingestor plan       which shard owns what, what moves, and how to balance
  tickline-ingestor provision  create missing topics and schemas, report drift
  tickline-ingestor decode     read recorded frames, write ticks as JSON lines

Each takes --help.
`;

/** The commands, each loaded only when asked for: \`decode\` needs no Kafka. */
const COMMANDS: Readonly<Record<string, (argv: readonly string[]) => Promise<number>>> = {
  run: async (argv) => {
    const { runCommand } = await import('./commands/run.ts');
    return runCommand(argv, {
      env: process.env,
      stdout: process.stdout,
      stderr: process.stderr,
      version: version(),
    });
  },
  check: async (argv) => {
    const { checkCommand } = await import('./commands/check.ts');
    return checkCommand(argv, commandIo());
  },
  plan: async (argv) => {
    const { planCommand } = await import('./commands/plan.ts');
    return planCommand(argv, commandIo());
  },
  provision: async (argv) => {
    const { provisionCommand } = await import('./commands/provision.ts');
    return provisionCommand(argv, commandIo());
  },
  decode: async (argv) => {
    const { decodeCommand } = await import('./decode-command.ts');
    return decodeCommand(argv, { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr });
  },
};

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Short commands end when they are interrupted, and when nobody reads their answer any more (`plan … | head`). */
function commandIo() {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  return { stdout: process.stdout, stderr: process.stderr, env: process.env, signal: interrupted.signal };
}

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    (name === undefined ? process.stderr : process.stdout).write(HELP);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    process.stderr.write(`${name} is not a command: use one of ${Object.keys(COMMANDS).join(', ')}\n`);
    return 2;
  }
  return command(rest);
}

// kafkajs 2.2.4 asks for a negative timeout once (network/requestQueue); it is harmless and not ours to tell.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'TimeoutNegativeWarning')
    process.stderr.write(`${warning.stack ?? warning.message}\n`);
});

process.exitCode = await main(process.argv.slice(2));
