/**
 * A broker or the registry can't be reached, or does not let us in: exit code 3. The message is one sentence that
 * names the setting.
 */
export class ConnectionError extends Error {
  override name = 'ConnectionError';
  /** The key of the settings that is to be looked at: `kafka.brokers`, `kafka.sasl`, `registry.url`. */
  readonly setting: string;

  constructor(message: string, setting: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.setting = setting;
  }
}

/** An error's words; one for several addresses (localhost: ::1 and 127.0.0.1) has none of its own. */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(wordsOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
