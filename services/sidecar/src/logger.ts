import type { Writable } from 'node:stream';
import winston from 'winston';

/** Levels of `log.level`, the most severe first. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Fields of a line besides `timestamp`, `level`, `event` and `message`; named as in the ingestor's log. */
export interface LogFields {
  readonly reason?: string;
  readonly data?: Readonly<Record<string, string | number | boolean | null>>;
}

/** The sidecar's log: JSON lines. It handles no secret, so there is none to redact. */
export interface Logger {
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
  return {
    log(of, event, message, fields = {}) {
      const line = { timestamp: new Date().toISOString(), level: of, event, message, ...fields };
      target.log({ level: of, message: JSON.stringify(line) });
    },
    close: () =>
      new Promise((resolve) => {
        transport.once('finish', () => stream.write('', () => resolve()));
        target.end();
      }),
  };
}
