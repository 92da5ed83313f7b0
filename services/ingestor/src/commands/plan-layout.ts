import { EXCHANGES, type ExchangeName } from '@tickline/schemas';
import { type ExchangeConfig, type FleetConfig, limitsSharedBy } from '../config.ts';
import type { Topic } from '../exchanges/exchange.ts';
import { ownersBy, podCount } from '../sharding/ownership.ts';
import { unitOf } from '../sharding/shard-of.ts';
import type { ExchangeLookup, ListedSymbols } from './check-listing.ts';

/** What one shard has to carry on one exchange. */
export interface ExchangeLoad {
  readonly units: number;
  /** Subscriptions: units by channels. */
  readonly topics: number;
  /** Connections that these need by the limits. */
  readonly connections: number;
  /** Connections that this pod may have: its part of the limit of one address. */
  readonly allowedConnections: number;
}

export interface ShardLoad {
  readonly shard: number;
  readonly units: readonly string[];
  readonly exchanges: Readonly<Partial<Record<ExchangeName, ExchangeLoad>>>;
}

type Config = Pick<FleetConfig, 'shard' | 'exchanges' | 'limitsSharedBy'>;

/** The owners of every unit of a configuration, by unit; two each while the count changes. */
export function ownersOfUnits(
  config: Config,
  listed: readonly ListedSymbols[],
): Map<string, readonly number[]> {
  const owners = ownersBy(config.shard);
  const units = listed.flatMap(({ exchange, instruments }) =>
    instruments.map(({ symbol }) => unitOf(exchange, symbol)),
  );
  return new Map(units.sort().map((unit) => [unit, owners(unit)]));
}

/** What every shard carries. */
export function shardLoads(
  config: Config,
  listed: readonly ListedSymbols[],
  exchanges: ExchangeLookup,
): ShardLoad[] {
  const owners = ownersBy(config.shard);
  const pods = limitsSharedBy(config);
  return Array.from({ length: podCount(config.shard) }, (_, shard) => {
    const units: string[] = [];
    const loads: Partial<Record<ExchangeName, ExchangeLoad>> = {};
    for (const name of EXCHANGES) {
      const settings = config.exchanges[name];
      const instruments = listed
        .filter(({ exchange }) => exchange === name)
        .flatMap((each) => each.instruments)
        .filter(({ symbol }) => owners(unitOf(name, symbol)).includes(shard));
      if (settings === undefined) continue;
      units.push(...instruments.map(({ symbol }) => unitOf(name, symbol)));
      const topics = instruments.flatMap((instrument) =>
        settings.channels.flatMap((channel) => exchanges[name]?.topic(channel, instrument) ?? []),
      );
      loads[name] = {
        units: instruments.length,
        topics: topics.length,
        connections: connectionsFor(topics, settings.limits),
        allowedConnections: Math.max(1, Math.floor(settings.limits.connections / pods)),
      };
    }
    return { shard, units: units.sort(), exchanges: loads };
  });
}

/** How many connections topics take when they fill one after another up to its limits. */
export function connectionsFor(
  topics: readonly Pick<Topic, 'characters'>[],
  limits: Pick<ExchangeConfig['limits'], 'topicsPerConnection' | 'topicCharactersPerConnection'>,
): number {
  let connections = 0;
  let [count, characters] = [Number.POSITIVE_INFINITY, 0];
  for (const topic of topics) {
    const isFull =
      count + 1 > limits.topicsPerConnection ||
      characters + topic.characters > limits.topicCharactersPerConnection;
    // The first topic opens the first connection, whatever the limits are.
    if (connections === 0 || isFull) {
      connections++;
      [count, characters] = [0, 0];
    }
    count++;
    characters += topic.characters;
  }
  return connections;
}

/** A unit whose owners differ between two configurations. */
export interface Move {
  readonly unit: string;
  /** Empty: the unit is new. */
  readonly from: readonly number[];
  /** Empty: the unit is gone. */
  readonly to: readonly number[];
}

/** What moves, comes and goes between two placements, by unit. */
export function movesBetween(
  before: ReadonlyMap<string, readonly number[]>,
  after: ReadonlyMap<string, readonly number[]>,
): Move[] {
  const moves: Move[] = [];
  for (const unit of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [from, to] = [before.get(unit) ?? [], after.get(unit) ?? []];
    const isSame = from.length === to.length && from.every((shard) => to.includes(shard));
    if (!isSame) moves.push({ unit, from, to });
  }
  return moves;
}
