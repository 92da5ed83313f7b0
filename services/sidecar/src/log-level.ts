import { LOG_LEVELS, type Logger, type LogLevel } from './logger.ts';
import type { LevelState } from './snapshot.ts';

/** Longest that a level is changed for; without a time it stays. */
const LONGEST_MS = 24 * 3_600_000;
const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** What is asked of a level change. */
export interface LevelRequest {
  readonly level: LogLevel;
  /** How long; null: until it is changed again. */
  readonly forMs: number | null;
}

/** Reads `level=debug&for=10m`; a sentence when it is something else. */
export function readLevelRequest(query: URLSearchParams): LevelRequest | string {
  const level = LOG_LEVELS.find((each) => each === query.get('level'));
  if (level === undefined) return `level must be one of ${LOG_LEVELS.join(', ')}.`;
  const text = query.get('for');
  if (text === null) return { level, forMs: null };
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const forMs = digits === undefined ? 0 : Number(digits) * UNITS_MS[unit as keyof typeof UNITS_MS];
  if (forMs < 1 || forMs > LONGEST_MS) return 'for must be a time such as 30s, 10m or 2h, at most 24h.';
  return { level, forMs };
}

/** Changes the level of a log for good or for a time. */
export class LevelSwitch {
  private readonly logger: Logger;
  private timer: NodeJS.Timeout | null = null;
  private until: number | null = null;
  /** What the level goes back to: what it was before the first change for a time. */
  private lasting: LogLevel;

  constructor(logger: Logger) {
    this.logger = logger;
    this.lasting = logger.level;
  }

  read(): LevelState {
    return { level: this.logger.level, until: this.until };
  }

  change({ level, forMs }: LevelRequest): LevelState & { readonly was: LogLevel } {
    const was = this.logger.level;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.until = null;
    if (forMs === null) {
      this.lasting = level;
    } else {
      this.until = Date.now() + forMs;
      // Unreferenced: a level to go back to is no reason to stay alive.
      this.timer = setTimeout(() => this.goBack(), forMs).unref();
    }
    this.enter(level);
    return { ...this.read(), was };
  }

  /** Debug on, and off again: for a signal. */
  toggleDebug(): void {
    const { lasting } = this;
    if (this.logger.level !== 'debug') {
      this.change({ level: 'debug', forMs: null });
      this.lasting = lasting;
    } else {
      // Where debug is what was configured, there is nothing else to go back to.
      this.change({ level: lasting === 'debug' ? 'info' : lasting, forMs: null });
    }
  }

  private goBack(): void {
    this.timer = null;
    this.until = null;
    this.enter(this.lasting);
  }

  private enter(level: LogLevel): void {
    const was = this.logger.level;
    if (was === level) return;
    this.logger.level = level;
    const data = { level, was, until: this.until };
    // On a level that both show, or nobody would learn of it: a change to `error` hides all others.
    this.logger.log(level === 'error' ? 'error' : 'warn', 'log-level', `the log level is now ${level}`, {
      data,
    });
  }
}
