import {
  exchangeNames,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../exchanges/simulator.ts';

/** All four simulated exchanges, alike but for their seeds; the rate is shared out evenly among them. */
export async function startSimulators(options: Omit<SimulatorOptions, 'exchange'>): Promise<Simulator[]> {
  const { rate = 1000, ...rest } = options;
  return Promise.all(
    exchangeNames.map((exchange, place) =>
      startSimulator({ ...rest, exchange, seed: place + 1, rate: rate / exchangeNames.length }),
    ),
  );
}

/** Lets all markets move. */
export function startMarkets(simulators: readonly Simulator[]): void {
  for (const simulator of simulators) simulator.startMarket();
}

/** Stops all markets: nothing more is written, connections and subscriptions stay. */
export function stopMarkets(simulators: readonly Simulator[]): void {
  for (const simulator of simulators) simulator.stopMarket();
}

/** Ticks written so far by all of them together. */
export function ticksWritten(simulators: readonly Simulator[]): number {
  return simulators.reduce((sum, { ledger }) => sum + ledger.size, 0);
}

/** Limits that a client broke, as sentences. */
export function violationsOf(simulators: readonly Simulator[]): string[] {
  return simulators.flatMap(({ violations }) =>
    violations.map(({ exchange, kind, detail }) => `${exchange}: ${kind}, ${detail}`),
  );
}
