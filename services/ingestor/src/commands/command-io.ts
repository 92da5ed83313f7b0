/** What a command may touch of the world. */
export interface CommandIo {
  /** The result. */
  readonly stdout: { write(text: string): unknown };
  /** Progress and complaints. */
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the command is to end. */
  readonly signal: AbortSignal;
}

/** Exit code of a configuration that was refused, or of wrong usage. */
export const EXIT_REFUSED = 2;

/** Exit code of a command that was interrupted, as shells have it for SIGINT. */
export const EXIT_INTERRUPTED = 130;
