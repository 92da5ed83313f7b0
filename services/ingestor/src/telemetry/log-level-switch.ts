import { LOG_LEVELS, type LogLevel, type RootLogger } from './logger.ts';

/** What a change of the log's level came to. */
export interface LevelChange {
  readonly level: LogLevel;
  readonly was: LogLevel;
  /** When the level goes back by itself, epoch milliseconds; null: it stays. */
  readonly until: number | null;
}

/** Longest that a level may be asked for. */
const MAX_FOR_MS = 24 * 3_600_000;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Changes the level of a running process's log, for a while or until the next change. Each change is logged. */
export class LogLevelSwitch {
  private readonly log: LevelledLog;
  /** What a level that is set for a while goes back to. */
  private lasting: LogLevel;
  private timer: NodeJS.Timeout | null = null;

  constructor(log: LevelledLog) {
    this.log = log;
    this.lasting = log.level;
  }

  get level(): LogLevel {
    return this.log.level;
  }

  /**
   * Sets the level; with `duration` (`30s`, `10m`) only for so long. Returns the change, or one sentence why there
   * is none. `by`: who asks, for the log.
   */
  change(level: string | null, duration: string | null, by: string): LevelChange | string {
    const next = LOG_LEVELS.find((each) => each === level);
    if (next === undefined) return `level must be one of ${LOG_LEVELS.join(', ')}`;
    const ms = duration === null ? null : millisecondsOf(duration);
    if (ms === undefined) return 'for must be a time such as 30s or 10m, at most 24h';
    if (ms === null) this.lasting = next;
    return this.set(next, ms, by);
  }

  /** Debug on; or, when it is on, the level of before. */
  toggleDebug(by: string): void {
    const back = this.lasting === 'debug' ? 'info' : this.lasting;
    this.set(this.level === 'debug' ? back : 'debug', null, by);
  }

  private set(level: LogLevel, ms: number | null, by: string): LevelChange {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer =
      ms === null ? null : setTimeout(() => this.set(this.lasting, null, 'the time is over'), ms).unref();
    const change = { level, was: this.level, until: ms === null ? null : Date.now() + ms };
    // Told while the one of the two levels is in force that shows more.
    const isHeardBefore = LOG_LEVELS.indexOf(change.was) > LOG_LEVELS.indexOf(level);
    if (isHeardBefore) this.tell(change, by);
    this.log.setLevel(level);
    if (!isHeardBefore) this.tell(change, by);
    return change;
  }

  private tell({ level, was, until }: LevelChange, by: string): void {
    const end = until === null ? '' : ` until ${new Date(until).toISOString()}`;
    const isInfoHeard = this.level === 'info' || this.level === 'debug';
    this.log[isInfoHeard ? 'info' : 'warn']('log-level', `the log level is ${level} and was ${was}${end}`, {
      reason: by,
      data: { level, was, until },
    });
  }
}

/** The log whose level is changed. */
type LevelledLog = Pick<RootLogger, 'level' | 'setLevel' | 'info' | 'warn'>;

function millisecondsOf(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? Number.NaN);
  return ms > 0 && ms <= MAX_FOR_MS ? ms : undefined;
}
