import { createLogUpdate } from 'log-update';
import { type Progress, progressTo, usesColour } from './progress.ts';
import { type DemoView, progressLine, renderView } from './view.ts';

/** Without a terminal, a line every so often instead of the view. */
const LINE_EVERY_MS = 5_000;

/** ECMA-48: cursor to the top left, then erase the whole screen. */
const CLEAR_SCREEN = '\u001B[H\u001B[2J';

/** What the demo shows people: progress on standard error, the live view or plain lines, the summary. */
export interface Screen {
  readonly progress: Progress;
  /** Width for tables. */
  readonly columns: number;
  readonly colour: boolean;
  /** Shows the present state: drawn anew on a terminal; elsewhere a line once in a while. */
  show(view: DemoView): void;
  /** Lines that stay, below all else. */
  print(lines: readonly string[]): void;
  /** Leaves the last view standing and gives the cursor back. */
  finish(): void;
}

/**
 * The view goes to standard output. With `json` and no terminal there, all that is for people goes to standard
 * error, so that standard output holds the one line.
 */
export function createScreen(json: boolean): Screen {
  const { stdout, stderr } = process;
  const terminal = stdout.isTTY === true;
  const people = json && !terminal ? stderr : stdout;
  const colour = usesColour(people);
  const drawing = terminal ? createLogUpdate(stdout) : null;
  let lastLineAt = performance.now();
  let shown: DemoView | null = null;
  const draw = (view: DemoView): void => {
    const canvas = { columns: stdout.columns ?? 80, rows: stdout.rows ?? 24, colour };
    drawing?.(renderView(view, canvas).join('\n'));
  };
  const redraw = (): void => {
    if (shown === null || drawing === null) return;
    // The terminal has wrapped the old lines its own way: nobody knows where they are.
    drawing.done();
    stdout.write(CLEAR_SCREEN);
    draw(shown);
  };
  if (terminal) stdout.on('resize', redraw);
  return {
    colour,
    get columns() {
      return people.columns ?? 120;
    },
    progress: progressTo(stderr, (text) => {
      // A line in the middle of the view would tear it: the view is drawn again below.
      if (stderr.isTTY === true) drawing?.clear();
      stderr.write(text);
    }),
    show(view) {
      const first = shown === null;
      shown = view;
      if (drawing !== null) {
        if (first) stdout.write('\n');
        draw(view);
      } else if (first) {
        lastLineAt = performance.now();
      } else if (performance.now() - lastLineAt >= LINE_EVERY_MS) {
        lastLineAt = performance.now();
        people.write(`${progressLine(view)}\n`);
      }
    },
    print(lines) {
      people.write(`${lines.join('\n')}\n`);
    },
    finish() {
      stdout.off('resize', redraw);
      drawing?.done();
    },
  };
}
