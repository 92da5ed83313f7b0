import { ByteMemo } from '../reading/byte-memo.ts';
import { behindLong, readLong } from '../reading/field-walk.ts';
import { type RecordView, type RecordVisitor, UnreadableRecordError } from '../reading/records.ts';
import type { WriterSchema } from '../reading/writer-schema.ts';
import { UnitAudit } from './unit-audit.ts';

/** Where a writer's schema has what the audit reads; -1: nowhere. */
interface Places {
  readonly exchange: number;
  readonly symbol: number;
  readonly producer: number;
  readonly sequence: number;
  readonly conflated: number;
  readonly tradeId: number;
  readonly fillCount: number;
}

/** Times that are audited, in microseconds: from `from` up to, without, `to`. */
export interface AuditBounds {
  readonly from: number;
  readonly to: number;
}

/** Hands each tick that is read to the audit of its unit; no more of a record is read than that takes. */
export class AuditedTicks implements RecordVisitor {
  /** Random ids of the producers, in the order of their appearance. */
  readonly producers: string[] = [];
  private readonly units = new Map<string, UnitAudit>();
  private readonly bounds: AuditBounds;
  /** Whether a partition is read from its very first record on. */
  private readonly isWhole: (partition: number) => boolean;
  private schema: WriterSchema | null = null;
  private places: Places | null = null;
  private readonly exchangeNames = new ByteMemo((text) => text);
  private readonly symbols = new ByteMemo((text) => text);
  private readonly producerPlaces = new Map<string, number>();
  private readonly producerIds = new ByteMemo((text) => this.placeOf(text));
  /** The unit of the record before: runs of one unit are common. */
  private latest: UnitAudit | null = null;
  private readonly tick = {
    producer: 0,
    sequence: 0,
    conflated: 0,
    receiveTime: 0,
    tradeId: null as string | null,
    fillCount: 1,
    isInside: true,
  };

  constructor(bounds: AuditBounds, isWhole: (partition: number) => boolean) {
    this.bounds = bounds;
    this.isWhole = isWhole;
  }

  record(view: RecordView): void {
    const places = view.schema === this.schema ? this.places! : this.placesIn(view.schema);
    const { bytes, at } = view;
    const { tick } = this;
    tick.producer = text(this.producerIds, bytes, at[places.producer]!);
    tick.sequence = readLong(bytes, at[places.sequence]!);
    tick.conflated = places.conflated < 0 ? 0 : readLong(bytes, at[places.conflated]!);
    tick.receiveTime = view.receiveTime;
    tick.tradeId = places.tradeId < 0 ? null : plainText(bytes, at[places.tradeId]!);
    tick.fillCount = places.fillCount < 0 ? 1 : orOne(bytes, at[places.fillCount]!);
    tick.isInside = view.receiveTime >= this.bounds.from && view.receiveTime < this.bounds.to;
    const exchange = text(this.exchangeNames, bytes, at[places.exchange]!);
    const symbol = text(this.symbols, bytes, at[places.symbol]!);
    this.unitOf(exchange, symbol, tick.tradeId !== null, view.partition).take(tick);
  }

  /** All units that were seen, by exchange and symbol. */
  all(): UnitAudit[] {
    return [...this.units.values()].sort((a, b) =>
      a.exchange === b.exchange ? compare(a.symbol, b.symbol) : compare(a.exchange, b.exchange),
    );
  }

  private unitOf(exchange: string, symbol: string, hasIds: boolean, partition: number): UnitAudit {
    const { latest } = this;
    if (latest !== null && latest.exchange === exchange && latest.symbol === symbol) return latest;
    const name = `${exchange}:${symbol}`;
    let unit = this.units.get(name);
    if (unit === undefined) {
      unit = new UnitAudit(exchange, symbol, hasIds, this.isWhole(partition));
      this.units.set(name, unit);
    }
    this.latest = unit;
    return unit;
  }

  private placesIn(schema: WriterSchema): Places {
    const need = (field: string): number => {
      const place = schema.indexOf(field);
      if (place < 0) throw new UnreadableRecordError(`schema ${schema.id} has no field ${field}`);
      return place;
    };
    this.places = {
      exchange: need('exchange'),
      symbol: need('symbol'),
      producer: need('producer'),
      sequence: need('sequence'),
      conflated: schema.indexOf('conflated'),
      tradeId: schema.indexOf('tradeId'),
      fillCount: schema.indexOf('fillCount'),
    };
    this.schema = schema;
    return this.places;
  }

  private placeOf(producer: string): number {
    let place = this.producerPlaces.get(producer);
    if (place === undefined) {
      place = this.producers.push(producer) - 1;
      this.producerPlaces.set(producer, place);
    }
    return place;
  }
}

/** What a memo made of the Avro string at `at`. */
function text<T>(memo: ByteMemo<T>, bytes: Buffer, at: number): T {
  const start = behindLong(bytes, at);
  return memo.of(bytes, start, start + readLong(bytes, at));
}

/** The Avro string at `at`, which occurs once: nothing is remembered. */
function plainText(bytes: Buffer, at: number): string {
  const start = behindLong(bytes, at);
  return bytes.toString('latin1', start, start + readLong(bytes, at));
}

/** The int of a `["null", "int"]` at `at`; 1 for null. */
function orOne(bytes: Buffer, at: number): number {
  return readLong(bytes, at) === 0 ? 1 : Math.max(1, readLong(bytes, behindLong(bytes, at)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
