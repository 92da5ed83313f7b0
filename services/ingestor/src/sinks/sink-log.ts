/** Lines about changes, never about messages; the ingestor's logger is one. */
export interface SinkLog {
  /** `event`: a constant kebab-case name; `message`: one sentence for people. */
  error(event: string, message: string, fields?: SinkLogFields): void;
  warn(event: string, message: string, fields?: SinkLogFields): void;
  info(event: string, message: string, fields?: SinkLogFields): void;
  debug(event: string, message: string, fields?: SinkLogFields): void;
}

/** For those who are told what is wrong in another way. */
export const SILENT_LOG: SinkLog = { error() {}, warn() {}, info() {}, debug() {} };

export interface SinkLogFields {
  readonly sink?: string;
  readonly reason?: string;
  readonly error?: unknown;
  readonly data?: Readonly<Record<string, string | number | boolean | null>>;
}
