import cliProgress from 'cli-progress';
import { ExportMeter, type ExportRate } from './export-meter.ts';
import type { ExportProgress } from './run-export.ts';

/** Where progress is shown. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

/** Shows how an export goes on. */
export interface ProgressDisplay {
  update(progress: ExportProgress): void;
  /** A line of its own, for what is worth telling in between. */
  note(text: string): void;
  stop(): void;
}

/** The bar is drawn so often. */
const BAR_MS = 100;
/** Lines come so often where there is no terminal. */
const LINE_MS = 10_000;

/** A bar on a terminal, a line now and then anywhere else. `monotonic`: milliseconds. */
export function progressDisplay(stream: ProgressStream, monotonic: () => number): ProgressDisplay {
  return stream.isTTY === true && 'cursorTo' in stream
    ? new ProgressBar(stream as unknown as NodeJS.WriteStream, monotonic)
    : new ProgressLines(stream, monotonic);
}

class ProgressBar implements ProgressDisplay {
  private readonly bar: cliProgress.SingleBar;
  private readonly stream: NodeJS.WriteStream;
  private readonly monotonic: () => number;
  private readonly meter = new ExportMeter();
  private isStarted = false;
  private lastUpdate = 0;

  constructor(stream: NodeJS.WriteStream, monotonic: () => number) {
    this.stream = stream;
    this.monotonic = monotonic;
    this.bar = new cliProgress.SingleBar(
      {
        stream,
        format: '{bar} {percentage} % | {records} records | {rate} records/s | {left}',
        hideCursor: true,
        // Signals are the command's business: it ends in order and stops the bar.
        gracefulExit: false,
      },
      cliProgress.Presets.shades_classic,
    );
  }

  update(progress: ExportProgress): void {
    const now = this.monotonic();
    if (this.isStarted && now - this.lastUpdate < BAR_MS && progress.offsetsDone < progress.offsetsTotal)
      return;
    this.lastUpdate = now;
    const payload = texts(progress, this.meter.rate(progress, now));
    if (this.isStarted) this.bar.update(progress.offsetsDone, payload);
    else this.bar.start(progress.offsetsTotal, progress.offsetsDone, payload);
    this.isStarted = true;
  }

  note(text: string): void {
    if (this.isStarted) {
      this.stream.cursorTo(0);
      this.stream.clearLine(0);
    }
    this.stream.write(`${text}\n`);
  }

  stop(): void {
    if (this.isStarted) this.bar.stop();
    this.isStarted = false;
  }
}

class ProgressLines implements ProgressDisplay {
  private readonly stream: ProgressStream;
  private readonly monotonic: () => number;
  private readonly meter = new ExportMeter();
  private lastLine: number | null = null;

  constructor(stream: ProgressStream, monotonic: () => number) {
    this.stream = stream;
    this.monotonic = monotonic;
  }

  update(progress: ExportProgress): void {
    const now = this.monotonic();
    const rate = this.meter.rate(progress, now);
    this.lastLine ??= now;
    if (now - this.lastLine < LINE_MS) return;
    this.lastLine = now;
    const { records, rate: perSecond, left } = texts(progress, rate);
    const percent = Math.floor((100 * progress.offsetsDone) / Math.max(1, progress.offsetsTotal));
    this.note(`${percent} % | ${records} records | ${perSecond} records/s | ${left}`);
  }

  note(text: string): void {
    this.stream.write(`${text}\n`);
  }

  stop(): void {
    this.lastLine = null;
  }
}

function texts(
  { records }: ExportProgress,
  { recordsPerSecond, secondsLeft }: ExportRate,
): { records: string; rate: string; left: string } {
  return {
    records: records.toLocaleString('en'),
    rate: Math.round(recordsPerSecond).toLocaleString('en'),
    left: secondsLeft === null ? 'time left unknown' : `${clockText(secondsLeft)} left`,
  };
}

/** `0:08`, `12:34`, `1:02:03`. */
function clockText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
