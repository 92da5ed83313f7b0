import type { ConnectionStatus, PodStatus, SubscriptionState } from '@tickline/schemas';
import type { ConnectionRecord } from '../exchanges/connection.ts';
import type { ExchangeName } from '../exchanges/ledger.ts';
import type { Violation } from '../exchanges/limits.ts';
import {
  exchangeNames,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../exchanges/simulator.ts';

/** The four simulated exchanges of a test. */
export type Simulators = Readonly<Record<ExchangeName, Simulator>>;

/** Starts all four; `own` goes over `options`. */
export async function startExchanges(
  options: Omit<SimulatorOptions, 'exchange'>,
  own: Readonly<Partial<Record<ExchangeName, Omit<SimulatorOptions, 'exchange'>>>> = {},
): Promise<Simulators> {
  const started = await Promise.all(
    exchangeNames.map((exchange) => startSimulator({ exchange, ...options, ...own[exchange] })),
  );
  return Object.fromEntries(started.map((simulator) => [simulator.exchange, simulator])) as Record<
    ExchangeName,
    Simulator
  >;
}

/** The same settings for each exchange: `forEachExchange('heartbeat.timeoutMs=3000')`. */
export function forEachExchange(...settings: string[]): string[] {
  return exchangeNames.flatMap((exchange) => settings.map((setting) => `--exchanges.${exchange}.${setting}`));
}

/** Our canonical name of an instrument of a simulated exchange. */
export function canonical(simulator: Simulator, exchangeSymbol: string): string {
  const found = simulator.instruments.find((instrument) => instrument.exchangeSymbol === exchangeSymbol);
  if (found === undefined) throw new Error(`${simulator.exchange} does not simulate ${exchangeSymbol}`);
  return `${found.base}-${found.quote}`;
}

/** The connections that ticks were subscribed on: Kraken's listing takes one of its own. */
export function marketConnections(simulator: Simulator): ConnectionRecord[] {
  return simulator.connections.filter(({ subscriptions }) =>
    subscriptions.some(({ channel }) => channel !== null),
  );
}

/** Limits that we broke. */
export function violations(simulators: Simulators): Violation[] {
  return Object.values(simulators).flatMap((simulator) => simulator.violations);
}

/** Connections of one exchange in a pod's status. */
export function connectionsOf(status: PodStatus, exchange: ExchangeName): ConnectionStatus[] {
  return status.connections.filter((connection) => connection.exchange === exchange);
}

/** How many of an exchange's subscriptions are in a state. */
export function countIn(status: PodStatus, exchange: ExchangeName, state: SubscriptionState): number {
  return connectionsOf(status, exchange).reduce((sum, { subscriptions }) => sum + subscriptions[state], 0);
}

/** How often a connection was opened again, for whatever reason. */
export function reconnectsOf(connection: ConnectionStatus): number {
  return Object.values(connection.reconnects).reduce((sum, count) => sum + count, 0);
}
