import { symbolFits } from '@tickline/schemas';
import { ByteMemo } from './byte-memo.ts';
import { behindLong, readLong } from './field-walk.ts';
import type { RecordFilter } from './records.ts';
import type { WriterSchema } from './writer-schema.ts';

/** What the filter needs to know of one writer's schema. */
export interface SchemaPlaces {
  readonly schema: WriterSchema;
  /** Places of the fields, -1 where the writer has none. */
  readonly exchange: number;
  readonly symbol: number;
  readonly time: number;
  /** For `FieldWalk.walk`. */
  readonly at: Int32Array;
}

export function placesOf(schema: WriterSchema): SchemaPlaces {
  return {
    schema,
    exchange: schema.indexOf('exchange'),
    symbol: schema.indexOf('symbol'),
    time: schema.timeIndex,
    at: new Int32Array(schema.fields.length + 1),
  };
}

/** A filter at work: each symbol and exchange is judged once, by its bytes. */
export class CompiledFilter {
  private readonly symbols: ByteMemo<boolean> | null;
  private readonly exchanges: ByteMemo<boolean> | null;
  private readonly from: number;
  private readonly to: number;

  constructor(filter: RecordFilter | undefined) {
    const { symbols = [], exchanges = [], fromMicros = null, toMicros = null } = filter ?? {};
    this.symbols =
      symbols.length === 0
        ? null
        : new ByteMemo((symbol) => {
            const isWanted = symbols.some((pattern) => symbolFits(pattern, symbol));
            filter?.sawSymbol?.(symbol, isWanted);
            return isWanted;
          });
    this.exchanges = exchanges.length === 0 ? null : new ByteMemo((exchange) => exchanges.includes(exchange));
    this.from = fromMicros ?? Number.NEGATIVE_INFINITY;
    this.to = toMicros ?? Number.POSITIVE_INFINITY;
  }

  /** Whether symbols are asked for at all: then a key that is a symbol can be judged before the value is read. */
  get hasSymbols(): boolean {
    return this.symbols !== null;
  }

  takesSymbol(bytes: Buffer, start: number, end: number): boolean {
    return this.symbols === null || this.symbols.of(bytes, start, end);
  }

  /** Judges a walked value; `keyWasJudged`: its symbol is known to be wanted. */
  takes(bytes: Buffer, places: SchemaPlaces, receiveTime: number, keyWasJudged: boolean): boolean {
    if (receiveTime < this.from || receiveTime >= this.to) return false;
    const { at } = places;
    if (
      this.exchanges !== null &&
      places.exchange >= 0 &&
      !judge(this.exchanges, bytes, at[places.exchange]!)
    ) {
      return false;
    }
    return (
      this.symbols === null ||
      keyWasJudged ||
      places.symbol < 0 ||
      judge(this.symbols, bytes, at[places.symbol]!)
    );
  }
}

/** Judges the Avro string at `at`. */
function judge(memo: ByteMemo<boolean>, bytes: Buffer, at: number): boolean {
  const start = behindLong(bytes, at);
  return memo.of(bytes, start, start + readLong(bytes, at));
}
