import { parseArgs } from 'node:util';
import { readSinks, SINK_CHOICES, type SinkName } from './sinks.ts';

/** Frames a second over all four simulated exchanges together, unless told otherwise. */
export const DEFAULT_RATE = 5_000;
/** Symbols per simulated exchange, unless told otherwise. */
export const DEFAULT_SYMBOLS = 25;

/** What a run of the demo is asked to do. */
export interface DemoOptions {
  /** The real exchanges' public endpoints instead of the simulated ones. */
  readonly live: boolean;
  /** Ends by itself so many seconds after the first tick; null: runs until Ctrl-C. */
  readonly durationSeconds: number | null;
  /** Frames a second over the four simulated exchanges together. */
  readonly rate: number;
  /** Symbols per simulated exchange. */
  readonly symbols: number;
  /** The ways out that are shown side by side: at least one, Kafka first. */
  readonly sinks: readonly SinkName[];
  /** The last line of standard output is the result as JSON. */
  readonly json: boolean;
}

/** Thrown for options that make no sense; the message names the option. */
export class OptionError extends Error {
  override name = 'OptionError';
}

export const HELP = `Real frames into a real Kafka on this machine, and read back, in one live view.

  make demo [SINKS=…] [DURATION=S] [RATE=N] [JSON=1]   against four simulated exchanges
  make live [SINKS=…] [DURATION=S] [JSON=1]            against the real ones (public data, no key)

  node scripts/demo/main.ts [options]
  --duration S   end by itself S seconds after the first tick, then print a summary
                 (default: run until Ctrl-C)
  --rate N       frames a second over the four simulated exchanges together
                 (default ${DEFAULT_RATE})
  --symbols N    symbols per simulated exchange (default ${DEFAULT_SYMBOLS})
  --sinks LIST   where the ticks go, each with a subscriber of its own: kafka, redis (Pub/Sub and
                 Streams), grpc, with commas between (default kafka)
  --live         the real exchanges; --rate and --symbols do not apply
  --json         the last line of standard output is the result as JSON, whatever happens
  --help         this text

Environment: DURATION, RATE, SYMBOLS, SINKS and JSON are read like the options, which win over them;
STACK=jars or STACK=docker chooses how Kafka and the registry run; NO_COLOR turns colours off.

Ctrl-C stops everything that was started, in order: the simulators, the pods (which drain),
the subscribers when they have read all, the servers. A second Ctrl-C kills what is left at once.

Exit code: 0 when every exchange was read back and nothing was lost (Redis Pub/Sub may drop: that
is only told). 1 when not, or when a part did not start or died. 2 for wrong options. 130 when Ctrl-C came before the DURATION was over
or before the first tick (143 for SIGTERM, 129 for SIGHUP); without DURATION, Ctrl-C is the
ordinary end and the exit code is 0 or 1 as above.
`;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the command line, then the environment as the Makefile passes it (an empty value counts as none).
 * Null when help is asked for. Throws OptionError.
 */
export function readOptions(args: readonly string[], environment: Environment): DemoOptions | null {
  const values = parse(args);
  if (values.help === true) return null;
  const given = (option: string | undefined, variable: string): Given | null => {
    if (option !== undefined) return { name: `--${variable.toLowerCase()}`, text: option };
    const text = environment[variable]?.trim() ?? '';
    return text === '' ? null : { name: variable, text };
  };
  const live = values.live === true;
  const rate = given(values.rate, 'RATE');
  const symbols = given(values.symbols, 'SYMBOLS');
  const inapplicable = live ? (rate ?? symbols) : null;
  if (inapplicable !== null) {
    throw new OptionError(`${inapplicable.name} does not apply to the real exchanges: leave it out`);
  }
  const duration = given(values.duration, 'DURATION');
  const sinks = given(values.sinks, 'SINKS');
  return {
    live,
    durationSeconds: duration === null ? null : positive(duration, 86_400, false),
    rate: rate === null ? DEFAULT_RATE : positive(rate, 1_000_000, true),
    symbols: symbols === null ? DEFAULT_SYMBOLS : positive(symbols, 1_000, true),
    sinks: sinks === null ? ['kafka'] : sinksOf(sinks),
    json: values.json === true || isOn(given(undefined, 'JSON')),
  };
}

/** Whether the result is wanted as JSON, for when the options themselves are wrong. */
export function wantsJson(args: readonly string[], environment: Environment): boolean {
  if (args.includes('--json')) return true;
  return !['', '0', 'false', 'no'].includes(environment.JSON?.trim().toLowerCase() ?? '');
}

interface Given {
  readonly name: string;
  readonly text: string;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        duration: { type: 'string' },
        rate: { type: 'string' },
        symbols: { type: 'string' },
        sinks: { type: 'string' },
        live: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new OptionError(`${(error as Error).message.split('. ')[0]}. --help lists the options`);
  }
}

function sinksOf({ name, text }: Given): readonly SinkName[] {
  const sinks = readSinks(text);
  if (sinks !== null) return sinks;
  throw new OptionError(`${name}=${text}: give some of ${SINK_CHOICES.join(', ')}, with commas between`);
}

function positive({ name, text }: Given, most: number, whole: boolean): number {
  const value = Number(text);
  if (!(value > 0 && value <= most) || (whole && !Number.isInteger(value))) {
    throw new OptionError(`${name}=${text}: give a ${whole ? 'whole ' : ''}number above 0, at most ${most}`);
  }
  return value;
}

function isOn(given: Given | null): boolean {
  if (given === null) return false;
  const text = given.text.toLowerCase();
  if (['1', 'true', 'yes'].includes(text)) return true;
  if (['0', 'false', 'no'].includes(text)) return false;
  throw new OptionError(`${given.name}=${given.text}: give 1 or 0`);
}
