import type { Writable } from 'node:stream';
import winston from 'winston';
import { RepeatLimiter } from './repeat-limiter.ts';

/** Levels of `log.level`, the most severe first. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Fields of a line besides `timestamp`, `level`, `event` and `message`; named as in the ingestor's log. */
export interface LogFields {
  readonly reason?: string;
  readonly data?: Readonly<Record<string, string | number | boolean | null>>;
}

/** The sidecar's log: JSON lines. No secret is ever handed to it. */
export interface Logger {
  /** The least that is logged; may be changed at any time. */
  level: LogLevel;
  /**
   * Of the same event and message only the first few of a minute are logged, the rest is told as a count. Not so at
   * the level debug, which somebody asked for.
   */
  log(level: LogLevel, event: string, message: string, fields?: LogFields): void;
  /** Resolves when every line was handed to the stream. */
  close(): Promise<void>;
}

/** Opens the log. */
export function createLogger(level: LogLevel, stream: Writable): Logger {
  // A reader of our output that went away (EPIPE) must not take the process down.
  stream.on('error', () => {});
  const transport = new winston.transports.Stream({ stream, eol: '\n' });
  const target = winston.createLogger({
    level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: winston.format.printf((line) => String(line.message)),
    transports: [transport],
  });
  const write = (of: LogLevel, event: string, message: string, fields: LogFields) => {
    const line = { timestamp: new Date().toISOString(), level: of, event, message, ...fields };
    target.log({ level: of, message: JSON.stringify(line) });
  };
  const limiter = new RepeatLimiter((key, suppressed) => {
    const { event, message } = JSON.parse(key) as { event: string; message: string };
    write('warn', event, `${suppressed} more like this were not logged: ${message}`, {
      data: { suppressed },
    });
  });
  return {
    get level() {
      return target.level as LogLevel;
    },
    set level(to) {
      target.level = to;
    },
    log(of, event, message, fields = {}) {
      if (LOG_LEVELS.indexOf(of) > LOG_LEVELS.indexOf(target.level as LogLevel)) return;
      if (of === 'debug' || limiter.admits(JSON.stringify({ event, message })))
        write(of, event, message, fields);
    },
    close: () => {
      limiter.flush();
      return new Promise((resolve) => {
        transport.once('finish', () => stream.write('', () => resolve()));
        target.end();
      });
    },
  };
}
