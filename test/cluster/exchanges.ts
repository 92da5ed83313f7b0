import { connect, createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { startControlServer } from '../exchanges/control-server.ts';
import { exchangeNames, startSimulator } from '../exchanges/simulator.ts';
import { controlPorts, marketPorts } from './exchange-ports.ts';

/**
 * The four simulated exchanges as a pod: on fixed ports, and reachable by other pods. The simulators themselves listen on
 * 127.0.0.1 alone; each has a door here that hands its connections on. Their control interfaces stay inside the pod.
 */
const { values } = parseArgs({
  options: {
    /** Trading instruments per exchange. */
    symbols: { type: 'string', default: '10' },
    /** Data frames per second per exchange. */
    rate: { type: 'string', default: '100' },
  },
});

const closing: (() => unknown)[] = [];
for (const [place, exchange] of exchangeNames.entries()) {
  const simulator = await startSimulator({
    exchange,
    seed: place + 1,
    symbols: Number(values.symbols),
    rate: Number(values.rate),
    // Trades are what is counted.
    tradeShare: 0.5,
  });
  const control = await startControlServer(simulator, controlPorts[exchange]);
  const inside = Number(new URL(simulator.restUrl).port);
  const door = createServer((outer) => {
    const inner = connect(inside, '127.0.0.1');
    outer.pipe(inner).pipe(outer);
    // One that breaks ends the other.
    outer.on('error', () => inner.destroy()).on('close', () => inner.destroy());
    inner.on('error', () => outer.destroy()).on('close', () => outer.destroy());
  });
  await new Promise<void>((listening, failed) => {
    door.once('error', failed).listen(marketPorts[exchange], () => listening());
  });
  closing.push(
    () => door.close(),
    () => control.close(),
    () => simulator.close(),
  );
  process.stdout.write(`${JSON.stringify({ exchange, market: marketPorts[exchange] })}\n`);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void Promise.allSettled(closing.map((close) => close())).then(() => process.exit(0));
  });
}
