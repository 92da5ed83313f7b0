import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pythonFolder } from '../../../scripts/setup.ts';
import { repositoryRoot } from '../../../scripts/stack/paths.ts';

/** What a Parquet file, or a folder of them, should hold. */
export interface ReadBackJob {
  readonly path: string;
  /** Name and kind of each column that is looked at. */
  readonly columns: readonly (readonly [name: string, kind: string])[];
  /** A file of JSON lines: for each row an array of texts and nulls. */
  readonly rows: string;
  /** Whether `path` is a folder in Hive's layout. */
  readonly hive?: boolean;
  /** Columns to sort both sides by. */
  readonly order?: readonly string[];
}

/** What pyarrow and DuckDB found. */
export interface ReadBackAnswer {
  readonly path: string;
  readonly rows: number;
  /** pyarrow's type of each column. */
  readonly types: Readonly<Record<string, string>>;
  readonly differences: readonly string[];
}

/** Reads many files in one Python process. */
export async function readParquetBack(jobs: readonly ReadBackJob[]): Promise<ReadBackAnswer[]> {
  const python = join(pythonFolder, 'bin/python');
  if (!existsSync(python)) throw new Error('no Python with pyarrow: run node scripts/setup.ts tests');
  const child = spawn(python, [join(repositoryRoot, 'test/replay/export_read_back.py')], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.stdin.end(jobs.map((job) => `${JSON.stringify(job)}\n`).join(''));
  const code = await new Promise((done) => child.once('close', done));
  if (code !== 0) throw new Error(`Python ended with ${code}: ${errors}`);
  return output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ReadBackAnswer);
}
