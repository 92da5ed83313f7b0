/**
 * Prints ticks from Tickline's gRPC service, one JSON object a line, as they come.
 *
 *     node examples/typescript-grpc/read-ticks.ts --address 127.0.0.1:9090 --symbols 'BTC-*' --channels trades
 *
 * The client asks the given pod who owns what, reads from every owner, reconnects, and says what was missed.
 * Prices and quantities are text, exact to the last digit.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MarketDataClient } from '@tickline/schemas/grpc';

const { values } = parseArgs({
  options: {
    address: { type: 'string', default: '127.0.0.1:9090' },
    symbols: { type: 'string', default: '*' },
    channels: { type: 'string', default: '' },
    'last-value-first': { type: 'boolean', default: false },
    count: { type: 'string', default: '0' },
    ca: { type: 'string' },
    'token-file': { type: 'string' },
  },
});

function list(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

const tokenFile = values['token-file'];
const client = new MarketDataClient({
  addresses: list(values.address),
  ...(values.ca === undefined ? {} : { tls: { ca: readFileSync(values.ca) } }),
  // Read for each call, so that a rotated token is taken up.
  ...(tokenFile === undefined ? {} : { token: () => readFileSync(tokenFile, 'utf8').split('\n')[0]!.trim() }),
});
process.once('SIGINT', () => client.close());

let left = Number(values.count);
try {
  const ticks = client.subscribe({
    symbols: list(values.symbols),
    channels: list(values.channels),
    lastValueFirst: values['last-value-first'],
  });
  for await (const event of ticks) {
    if (event.kind === 'connection') {
      process.stderr.write(`${event.address}: ${event.state} ${event.reason}\n`);
    } else {
      const fields = 'record' in event ? { kind: event.kind, ...event.record } : event;
      process.stdout.write(`${JSON.stringify(fields)}\n`);
      if (--left === 0) break;
    }
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  client.close();
}
