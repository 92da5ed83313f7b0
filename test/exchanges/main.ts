import { parseArgs } from 'node:util';
import { startControlServer } from './control-server.ts';
import type { ExchangeName } from './ledger.ts';
import { type Limits, unlimited } from './limits.ts';
import { exchangeNames, type SimulatorOptions, startSimulator } from './simulator.ts';

const help = `Simulated exchanges for tests and the demo, on loopback ports.

  node test/exchanges/main.ts --exchange binance|bybit-spot|okx|kraken|all [options]

  --exchange NAME      which exchange; all: the four of them in this process
  --symbols N          trading instruments per exchange (default 100)
  --rate N             data frames per second per exchange (default 1000)
  --trade-share X      share of trades among the frames, 0 to 1 (default 0.3); the rest are quotes
  --seed N             same seed, same market but for the times (default 1)
  --autostart          the market moves at once
  --manual             the market moves when POST /market {"running":true} says so
                       (default: with the first subscription)
  --port N             port of the exchange, WebSocket and REST (default: a free one; not with all)
  --control-port N     port of the control interface (default: a free one; not with all)
  --limit NAME=VALUE   overrides a documented limit, any number of times; Infinity: not enforced. Names:
                       ${Object.keys(unlimited).join(', ')}
  --compression        accept permessage-deflate when a client offers it
  --help               this text

When ready it prints one JSON line per exchange:
  {"exchange":"binance","ws":"ws://127.0.0.1:PORT","rest":"http://127.0.0.1:PORT","control":"http://127.0.0.1:PORT"}
The control address: GET /stats, /ledger[?since=N], /unheard[?since=N], /connections, /violations, /symbols;
POST /market {"running":true|false,"rate":N}, POST /fault {"kind":…}, POST /tape {"file":…,"pace":N|"recorded"}.
SIGTERM or SIGINT ends it.
`;

/** A whole or fractional number of the command line. */
function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new Error(`--${name} must be a number, not "${text}"`);
  return value;
}

function limitsOf(pairs: readonly string[]): Partial<Limits> {
  const limits: Record<string, number> = {};
  for (const pair of pairs) {
    const [name = '', value = ''] = pair.split('=', 2);
    if (!(name in unlimited)) {
      throw new Error(`--limit ${name}: no such limit; one of ${Object.keys(unlimited).join(', ')}`);
    }
    limits[name] = number(`limit ${name}`, value) ?? Infinity;
  }
  return limits;
}

/** Leaves out what was not given. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      exchange: { type: 'string' },
      symbols: { type: 'string' },
      rate: { type: 'string' },
      'trade-share': { type: 'string' },
      seed: { type: 'string' },
      autostart: { type: 'boolean' },
      manual: { type: 'boolean' },
      port: { type: 'string' },
      'control-port': { type: 'string' },
      limit: { type: 'string', multiple: true },
      compression: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(help);
    return;
  }
  const { exchange } = values;
  if (exchange !== 'all' && !exchangeNames.includes(exchange as ExchangeName)) {
    throw new Error(`--exchange must be one of ${exchangeNames.join(', ')}, all; see --help`);
  }
  const names = exchange === 'all' ? exchangeNames : [exchange as ExchangeName];
  if (exchange === 'all' && (values.port !== undefined || values['control-port'] !== undefined)) {
    throw new Error('--port and --control-port name one exchange: not with --exchange all');
  }
  const start = values.autostart === true ? 'now' : values.manual === true ? 'manual' : 'subscription';
  const closing: (() => Promise<void>)[] = [];
  for (const name of names) {
    const options: SimulatorOptions = {
      exchange: name,
      start,
      limits: limitsOf(values.limit ?? []),
      compression: values.compression ?? false,
      ...given({
        symbols: number('symbols', values.symbols),
        rate: number('rate', values.rate),
        tradeShare: number('trade-share', values['trade-share']),
        seed: number('seed', values.seed),
        port: number('port', values.port),
      }),
    };
    const simulator = await startSimulator(options);
    const control = await startControlServer(simulator, number('control-port', values['control-port']) ?? 0);
    closing.push(
      () => simulator.close(),
      () => control.close(),
    );
    const ready = { exchange: name, ws: simulator.url, rest: simulator.restUrl, control: control.url };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
  }
  const end = (): void => {
    Promise.all(closing.map((close) => close())).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(2);
});
