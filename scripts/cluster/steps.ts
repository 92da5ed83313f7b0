/** What a step found, for people. */
export type StepDetail = string | undefined;

/** Runs steps one after the other, and tells of each how it ended and how long it took. */
export class Steps {
  /** Name and seconds of each that ended well. */
  readonly done: { readonly step: string; readonly seconds: number; readonly detail?: string }[] = [];
  private readonly tell: (line: string) => void;

  constructor(tell: (line: string) => void) {
    this.tell = tell;
  }

  /** @param action resolves with what is worth telling */
  async step(name: string, action: () => Promise<StepDetail>): Promise<void> {
    const started = performance.now();
    const seconds = (): number => Math.round((performance.now() - started) / 100) / 10;
    try {
      const detail = await action();
      this.done.push({ step: name, seconds: seconds(), ...(detail === undefined ? {} : { detail }) });
      this.line(name, 'ok', seconds(), detail);
    } catch (error) {
      this.line(name, 'failed', seconds(), undefined);
      throw error;
    }
  }

  /** A line below the step before. */
  note(text: string): void {
    this.tell(`    ${text}`);
  }

  private line(name: string, how: string, seconds: number, detail: StepDetail): void {
    this.tell(
      `${name.padEnd(22)} ${how.padEnd(6)} ${seconds.toFixed(1).padStart(6)} s  ${detail ?? ''}`.trimEnd(),
    );
  }
}
