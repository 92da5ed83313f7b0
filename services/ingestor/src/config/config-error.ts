/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** The dotted key; for what has no key, the flag, variable or file. */
  readonly key: string;
  /** Who set it: `base.yaml`, `TICKLINE_LOG_LEVEL`, `--log.level`; null when nobody did. */
  readonly source: string | null;
  readonly problem: string;
  /** The valid value or name that was probably meant. */
  readonly nearest: string | null;
}

/** All that is wrong with a configuration, found in one go. Never holds a secret. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(
      [
        `the configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:`,
        ...problems.map((problem) => `  ${problemText(problem)}`),
      ].join('\n'),
    );
    this.problems = problems;
  }
}

/** A problem on one line. */
export function problemText({ key, source, problem, nearest }: ConfigProblem): string {
  const named = key === '' || key === source ? '' : `${key} `;
  const hint = nearest === null ? '' : `. Did you mean ${nearest}?`;
  const by = source === null ? '' : `${source}: `;
  return `${by}${named}${problem}${hint}`;
}
