import { EXCHANGES, isExchangeName, RECORD_TOPICS, type RecordTopic, topicName } from '@tickline/schemas';
import { type Command, InvalidArgumentError } from 'commander';
import { SettingsError } from '../connection/settings-error.ts';
import { nearestNames } from '../output/nearest.ts';
import { parseTime, TIME_FORMS, TIME_STYLES, TimeError, type TimeStyle } from '../output/time.ts';
import type { Options } from './connection-options.ts';

/** Splits values that may be repeated or have commas between. */
export function listOption(text: string, before: string[] = []): string[] {
  const values = text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  if (values.length === 0) throw new InvalidArgumentError('it is empty');
  return [...before, ...values];
}

/** Adds `--symbol` and `--exchange`. */
export function addSelectionOptions(command: Command): Command {
  return command
    .option(
      '-s, --symbol <symbols>',
      'only these symbols or patterns (BTC-*); commas, or repeated',
      listOption,
    )
    .option(
      '-e, --exchange <exchanges>',
      `only these exchanges (${EXCHANGES.join(', ')}); commas, or repeated`,
      listOption,
    );
}

/** Adds `--from`, `--to` and `--local`. */
export function addTimeOptions(command: Command): Command {
  return command
    .option('--from <time>', `first receive time: ${TIME_FORMS}`)
    .option('--to <time>', 'receive time to end before; the same forms')
    .option('--local', 'times without a zone are by this machine’s clock');
}

/** The full name of a channel's topic. Throws SettingsError for what has no records. */
export function channelOf(text: string): RecordTopic {
  const found = RECORD_TOPICS.find((topic) => topic === text);
  if (found !== undefined) return found;
  if (text === 'invalid') {
    throw new SettingsError(
      'invalid holds frames as exchanges sent them, no records; read it with a tool for plain topics, such as kcat',
    );
  }
  const [nearest] = nearestNames(text, RECORD_TOPICS);
  throw new SettingsError(
    `there is no topic ${JSON.stringify(text)}: ${nearest === undefined ? '' : `did you mean ${nearest}? `}There are ${RECORD_TOPICS.join(', ')}`,
  );
}

/** A channel and its topic's name in this cluster. */
export function topicOf(channel: RecordTopic, prefix: string): string {
  return topicName(prefix, channel);
}

/** `--symbol`, as a filter has it. */
export function symbolsOf(options: Options): string[] {
  return (options.symbol as string[] | undefined) ?? [];
}

/** `--exchange`, checked. Throws SettingsError. */
export function exchangesOf(options: Options): string[] {
  const exchanges = (options.exchange as string[] | undefined) ?? [];
  for (const exchange of exchanges) {
    if (isExchangeName(exchange)) continue;
    const [nearest] = nearestNames(exchange, EXCHANGES);
    throw new SettingsError(
      `--exchange ${exchange} is none: ${nearest === undefined ? `there are ${EXCHANGES.join(', ')}` : `did you mean ${nearest}?`}`,
    );
  }
  return exchanges;
}

/** `--from` and `--to` in microseconds; null where they are not given. Throws TimeError. */
export function timesOf(
  options: Options,
  nowMs: number,
): { fromMicros: number | null; toMicros: number | null } {
  const read = (name: 'from' | 'to'): number | null => {
    const text = options[name];
    if (typeof text !== 'string') return null;
    try {
      return parseTime(text, nowMs, options.local === true);
    } catch (error) {
      if (error instanceof TimeError) throw new TimeError(`--${name} ${error.message}`);
      throw error;
    }
  };
  const fromMicros = read('from');
  const toMicros = read('to');
  if (fromMicros !== null && toMicros !== null && fromMicros >= toMicros) {
    throw new TimeError('--from must be before --to');
  }
  return { fromMicros, toMicros };
}

/** `--time`, checked; null: not given. Throws SettingsError. */
export function timeStyleOf(options: Options): TimeStyle | null {
  if (options.time === undefined) return null;
  const style = TIME_STYLES.find((each) => each === options.time);
  if (style === undefined) throw new SettingsError(`--time must be one of ${TIME_STYLES.join(', ')}`);
  return style;
}
