import { closeSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { OutputError } from '../output/output.ts';
import type { ExportPlan } from './export-plan.ts';
import type { SkipReport } from './skip-count.ts';
import { writing } from './writing.ts';

/** Where a reading is: a range by its number, and the next offset. */
export interface ReadPosition {
  readonly range: number;
  readonly offset: number;
}

/** What a file had at a checkpoint. */
export interface JournaledFile {
  readonly name: string;
  readonly bytes: number;
  readonly rows: number;
  /** What its end needs to know of the parts since the checkpoint before, in base64. */
  readonly entries: readonly string[];
}

/** Everything in front of `position` is in the files, and the files are on the disk. */
export interface Checkpoint {
  readonly position: ReadPosition;
  readonly records: number;
  readonly skipped: SkipReport;
  /** Records by the id of their schema. */
  readonly schemas: Readonly<Record<string, number>>;
  /** Files that have grown since the checkpoint before. */
  readonly files: readonly JournaledFile[];
}

interface FirstLine {
  readonly journal: typeof JOURNAL_VERSION;
  readonly tool: string;
  readonly request: string;
  readonly plan: ExportPlan;
}

/** What an unfinished export left. */
export interface UnfinishedExport {
  /** Who wrote it: another version may write other bytes. */
  readonly tool: string;
  /** What the user asked for, in one text. */
  readonly request: string;
  readonly plan: ExportPlan;
  readonly checkpoints: readonly Checkpoint[];
}

const JOURNAL_VERSION = 1;

/**
 * The file beside an unfinished export from which it goes on: a line of JSON for what is exported, then one for each
 * checkpoint. A line counts when it is whole; a torn last one is as if it had not been.
 */
export class ExportJournal {
  private readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Begins a journal, in place of one that may be there. */
  static create(path: string, tool: string, request: string, plan: ExportPlan): ExportJournal {
    const journal = new ExportJournal(path);
    const first: FirstLine = { journal: JOURNAL_VERSION, tool, request, plan };
    journal.write('w', first);
    return journal;
  }

  /** Goes on with what `read` found; a torn last line is cut off. */
  static resume(path: string): ExportJournal {
    writing(path, () => truncateSync(path, Buffer.byteLength(wholeLines(readFileSync(path, 'utf8')))));
    return new ExportJournal(path);
  }

  /** What an unfinished export left at `path`; null: there is none. Throws OutputError for a file that is no journal. */
  static read(path: string): UnfinishedExport | null {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw new OutputError(`${path} can't be read: ${(error as Error).message}`, { cause: error });
    }
    const whole = wholeLines(text);
    if (whole === '') return null;
    try {
      const [first, ...checkpoints] = whole
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
      const { journal, tool, request, plan } = first as FirstLine;
      if (journal !== JOURNAL_VERSION) throw new TypeError(`version ${journal}`);
      return { tool, request, plan, checkpoints: checkpoints as Checkpoint[] };
    } catch (cause) {
      throw new OutputError(
        `${path} is not the journal of an export (${(cause as Error).message}): remove it, or run again with --restart`,
        { cause },
      );
    }
  }

  checkpoint(checkpoint: Checkpoint): void {
    this.write('a', checkpoint);
  }

  private write(flags: 'w' | 'a', line: unknown): void {
    writing(this.path, () => {
      const file = openSync(this.path, flags);
      try {
        const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    });
  }
}

/** Up to the last line end. */
function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}
