import type { Writable } from 'node:stream';
import winston from 'winston';
import { type Redact, redactingReplacer } from './redactor.ts';
import { DEFAULT_REPEAT_LIMITS, RepeatLimiter, type RepeatLimits } from './repeat-limiter.ts';

/** Levels of `log.level`, the most severe first. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Fields of a line besides `timestamp`, `level`, `event` and `message`; they are written in this order. */
export interface LogFields {
  readonly producer?: string | undefined;
  readonly exchange?: string | undefined;
  readonly connection?: string | undefined;
  readonly session?: string | undefined;
  readonly channel?: string | undefined;
  readonly symbol?: string | undefined;
  readonly sink?: string | undefined;
  readonly reason?: string | undefined;
  /** What was caught: written as one text with its causes. */
  readonly error?: unknown;
  /** Whatever else belongs to the event: small, flat, named in camelCase. */
  readonly data?: Readonly<Record<string, string | number | boolean | null>> | undefined;
}

const FIELD_ORDER = [
  'producer',
  'exchange',
  'connection',
  'session',
  'channel',
  'symbol',
  'sink',
  'reason',
  'error',
  'data',
] as const satisfies readonly (keyof LogFields)[];

/**
 * Writes JSON lines. Nothing on the hot path logs; a line costs about 20 µs. Of the same event about the same
 * exchange, connection and sink only so many are written in an interval ({@link LINE_LIMITS}); one line tells
 * then how many were not. Not so at the level debug, which somebody asked for.
 */
export interface Logger {
  /** `event`: a constant kebab-case name to filter by; `message`: one sentence for people. */
  error(event: string, message: string, fields?: LogFields): void;
  warn(event: string, message: string, fields?: LogFields): void;
  info(event: string, message: string, fields?: LogFields): void;
  debug(event: string, message: string, fields?: LogFields): void;
  /** The same log with these fields on every line. */
  child(fields: LogFields): Logger;
  /**
   * False when this event was logged often enough with this key in the current interval; ask before building
   * a line that may come thousands of times. At the interval's end one line of the same event tells how many were suppressed (`data.suppressed`).
   */
  admits(event: string, key: string): boolean;
}

/** The log of the process: closed once, at its end. */
export interface RootLogger extends Logger {
  /** The least that is written. */
  readonly level: LogLevel;
  setLevel(level: LogLevel): void;
  /** Tells what is still suppressed and resolves when every line was handed to the stream. */
  close(): Promise<void>;
}

/** What a log is made of. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /** `run` logs to standard output, the other commands to standard error (their output is their answer). */
  readonly stream: Writable;
  /** Takes secrets out of every text of every line, see `createRedactor`. */
  readonly redact: Redact;
  readonly repeats?: RepeatLimits;
  readonly lines?: RepeatLimits;
}

/** What every log keeps to, whoever writes: many pods' worth of ordinary changes pass. */
export const LINE_LIMITS: RepeatLimits = { limit: 20, intervalMs: 60_000, keys: 1_000 };

/** Opens the process's log. */
export function createLogger(options: LoggerOptions): RootLogger {
  // A reader of our output that went away (EPIPE) must not take the process down.
  options.stream.on('error', ignore);
  let level = options.level;
  const transport = new winston.transports.Stream({ stream: options.stream, eol: '\n' });
  const target = winston.createLogger({
    // What is below the level is held back by us.
    level: 'debug',
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: winston.format.printf((line) => String(line.message)),
    transports: [transport],
  });
  const replacer = redactingReplacer(options.redact);

  function write(at: LogLevel, event: string, message: string, fields: LogFields): void {
    // Below the level nothing is built: winston itself would take microseconds to find that out.
    if (LOG_LEVELS.indexOf(at) > LOG_LEVELS.indexOf(level)) return;
    if (at !== 'debug' && !lines.admit(event, subjectOf(fields))) return;
    writeLine(at, event, message, fields);
  }

  function writeLine(at: LogLevel, event: string, message: string, fields: LogFields): void {
    const head = { timestamp: new Date().toISOString(), level: at, event };
    const rest: Record<string, unknown> = { message };
    for (const name of FIELD_ORDER) {
      const value = fields[name];
      if (value === undefined) continue;
      rest[name] = name === 'error' ? describeError(value) : value;
    }
    // The head is ours; only what came from elsewhere passes through the redactor.
    const line = `${JSON.stringify(head).slice(0, -1)},${JSON.stringify(rest, replacer).slice(1)}`;
    target.log({ level: at, message: line });
  }

  function bound(own: LogFields): Logger {
    const merge = (fields: LogFields | undefined) => (fields === undefined ? own : { ...own, ...fields });
    return {
      error: (event, message, fields) => write('error', event, message, merge(fields)),
      warn: (event, message, fields) => write('warn', event, message, merge(fields)),
      info: (event, message, fields) => write('info', event, message, merge(fields)),
      debug: (event, message, fields) => write('debug', event, message, merge(fields)),
      child: (fields) => bound({ ...own, ...fields }),
      admits: (event, key) => limiter.admit(event, key),
    };
  }

  const tellSuppressed = (event: string, key: string, suppressed: number): void => {
    const subject = key === '' ? '' : ` about ${key}`;
    writeLine('warn', event, `${suppressed} more like this${subject} were not logged`, {
      data: { key, suppressed },
    });
  };
  const limiter = new RepeatLimiter(tellSuppressed, options.repeats ?? DEFAULT_REPEAT_LIMITS);
  const lines = new RepeatLimiter(tellSuppressed, options.lines ?? LINE_LIMITS);

  return {
    ...bound({}),
    get level() {
      return level;
    },
    setLevel: (next) => {
      level = next;
    },
    close: () => {
      limiter.flush();
      lines.flush();
      return new Promise((resolve) => {
        // The logger finishes before its transport has written, and the transport before the stream has.
        transport.once('finish', () => options.stream.write('', () => resolve()));
        target.end();
      });
    },
  };
}

/** An error as one text: its message and those of its causes, without a stack. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  // Bounded: a chain of causes may be a ring.
  for (let depth = 0; depth < 8 && current !== undefined && current !== null; depth++) {
    parts.push(current instanceof Error ? current.message || current.name : String(current));
    if (current instanceof AggregateError) parts.push(...current.errors.slice(0, 4).map(String));
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(': ');
}

/** What a line is about, as far as repeats of it are one. */
function subjectOf({ exchange, connection, sink }: LogFields): string {
  return [connection ?? exchange, sink].filter((each) => each !== undefined).join(' ');
}

function ignore(): void {
  // Nothing can be said when the log itself can't be written.
}
