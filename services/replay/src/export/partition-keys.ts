import { ByteDictionary } from '../parquet/byte-dictionary.ts';
import { behindLong, readLong } from '../reading/field-walk.ts';
import { type RecordView, UnreadableRecordError } from '../reading/records.ts';
import { constantAt, type RowPlan } from './row-plan.ts';
import { dayText } from './time-text.ts';

/** What files may be divided by: values of `--partition-by`. The date is that of the receive time, in UTC. */
export const PARTITION_KEYS = { exchange: 'exchange', symbol: 'symbol', date: 'date' } as const;
export type PartitionKey = keyof typeof PARTITION_KEYS;

const MICROS_PER_DAY = 86_400_000_000;
/** The days of JavaScript's Date, ±273,790 years: beyond them there is no text for a date. */
const MAX_DAY = 100_000_000;

/** Finds the folder of a record's file: `exchange=okx/symbol=BTC-USDT/date=2026-11-20`, as Hive lays them out. */
export class PartitionFolders {
  private readonly keys: readonly PartitionKey[];
  private readonly texts: readonly ByteDictionary[];
  /** A folder for each combination of values, by a text of their numbers; the last one is kept at hand. */
  private readonly folders = new Map<string, string>();
  private readonly last: Float64Array;
  private readonly current: Float64Array;
  private lastFolder = '';

  /** `keys`: in the order of the folders. */
  constructor(keys: readonly PartitionKey[]) {
    this.keys = keys;
    this.texts = keys.map(() => new ByteDictionary(0));
    this.last = new Float64Array(keys.length).fill(Number.NaN);
    this.current = new Float64Array(keys.length);
  }

  /** `plan`: of the columns in the path, in their order, which has located the record. */
  of(view: RecordView, plan: RowPlan): string {
    const { keys, current, last } = this;
    let same = true;
    let column = 0;
    for (let key = 0; key < keys.length; key++) {
      const value = keys[key] === 'date' ? dayOf(view) : this.numberOf(key, view, plan, column++);
      current[key] = value;
      same &&= value === last[key];
    }
    if (same) return this.lastFolder;
    const id = current.join();
    let folder = this.folders.get(id);
    if (folder === undefined) {
      folder = keys.map((key, index) => `${key}=${this.textOf(key, index, current[index]!)}`).join('/');
      this.folders.set(id, folder);
    }
    last.set(current);
    this.lastFolder = folder;
    return folder;
  }

  private numberOf(key: number, view: RecordView, plan: RowPlan, column: number): number {
    const position = plan.positions[column]!;
    const bytes = position < 0 ? plan.constants : view.bytes;
    const at = position < 0 ? constantAt(position) : position;
    const start = behindLong(bytes, at);
    return this.texts[key]!.intern(bytes, start, start + readLong(bytes, at));
  }

  private textOf(key: PartitionKey, index: number, value: number): string {
    if (key === 'date') return dayText(value);
    const dictionary = this.texts[index]!;
    const bytes = dictionary.page.subarray(dictionary.starts[value]!, dictionary.endOf(value));
    return encodeURIComponent(Buffer.from(bytes).toString('utf8'));
  }
}

function dayOf(view: RecordView): number {
  const day = Math.floor(view.receiveTime / MICROS_PER_DAY);
  if (!(Math.abs(day) <= MAX_DAY))
    throw new UnreadableRecordError(`the receive time ${view.receiveTime} µs has no date`);
  return day;
}
