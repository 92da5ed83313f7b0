/** Exit codes of the command, as `--help` tells them. */
export const EXIT = {
  done: 0,
  /** Something is missing or wrong in what was looked at: `audit` found holes, `doctor` a fault. */
  found: 1,
  /** Wrong usage or settings, an unknown topic, offsets that are not there. */
  usage: 2,
  /** A broker or the registry can't be reached, or refuses us. */
  connection: 3,
  /** Records were skipped; all others were written. */
  skipped: 4,
  /** What was to be written could not be: no room, no right. */
  output: 5,
  /** A fault of ours (EX_SOFTWARE of sysexits.h). */
  fault: 70,
  /** SIGINT or SIGTERM before the end. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One line for each code that a command can end with. */
export const EXIT_HELP = {
  done: '0    done',
  found: '1    something is missing or wrong',
  usage: '2    wrong usage or settings; unknown topic, symbol or offset',
  connection: '3    a broker or the registry can’t be reached, or refuses us',
  skipped: '4    records were skipped (corrupted, unknown schema); all others were written',
  output: '5    the output could not be written',
  fault: '70   a fault of tickline itself',
  interrupted: '130  interrupted before the end',
} as const satisfies Record<keyof typeof EXIT, string>;
