/** `npm run bench -- NAME [--json]`: each benchmark is one file that exports its description and `run`. */
import { parseArgs } from 'node:util';
import * as exportTopic from './export.ts';
import * as grpc from './grpc.ts';
import * as redisPubsub from './redis-pubsub.ts';
import * as redisStreams from './redis-streams.ts';
import * as throughput from './throughput.ts';

const BENCHMARKS = {
  export: exportTopic,
  grpc,
  'redis-pubsub': redisPubsub,
  'redis-streams': redisStreams,
  throughput,
} as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    messages: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const usage = `npm run bench -- NAME [--json] [--messages N]

${Object.entries(BENCHMARKS)
  .map(([name, { description }]) => `  ${name}  ${description}`)
  .join('\n')}

Progress goes to standard error. With --json the last line of standard output is the result.
`;

const [name] = positionals;
if (values.help) {
  process.stdout.write(usage);
} else if (name === undefined || !Object.hasOwn(BENCHMARKS, name)) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  const messages = values.messages === undefined ? undefined : Number(values.messages);
  if (messages !== undefined && !(Number.isSafeInteger(messages) && messages > 0)) {
    process.stderr.write(`--messages must be a whole number above 0, is ${values.messages}\n`);
    process.exitCode = 2;
  } else {
    const result = await BENCHMARKS[name as keyof typeof BENCHMARKS].run({ messages });
    process.stdout.write(values.json ? `${JSON.stringify(result.json)}\n` : `${result.text}\n`);
    process.exitCode = result.ok ? 0 : 1;
  }
}
