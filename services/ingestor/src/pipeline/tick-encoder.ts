import {
  encodeJsonPrefix,
  encodeProtoPrefix,
  encodeTickPrefix,
  MAX_TICK_BYTES,
  type QuoteDraft,
  type RecordTopic,
  type TickChannel,
  type TickEnvelope,
  type TradeDraft,
  writeQuote,
  writeQuoteJson,
  writeQuoteProto,
  writeTrade,
  writeTradeJson,
  writeTradeProto,
} from '@tickline/schemas';
import type { IndexedInstrument } from '../exchanges/instrument.ts';
import type { TickFormat } from '../sinks/sink.ts';

type Writer<Draft> = (
  target: Uint8Array,
  offset: number,
  prefix: Uint8Array,
  envelope: TickEnvelope,
  draft: Draft,
) => number;

/** Writes ticks in one format into a target that is used again for each. */
export interface TickEncoder {
  readonly format: TickFormat;
  readonly target: Uint8Array;
  /** What never changes for a symbol's channel, made once. */
  prefix(instrument: IndexedInstrument, channel: TickChannel, producer: string): Uint8Array;
  /** From the target's start; returns the end. */
  readonly trade: Writer<TradeDraft>;
  readonly quote: Writer<QuoteDraft>;
}

/** The id of a topic's registered schema. Asked for when the first stream is opened, never before. */
export type SchemaIdOf = (topic: RecordTopic) => number;

/** The encoders of the formats that some sink wants. `schemaIdOf` is called for Avro only. */
export function tickEncoders(formats: ReadonlySet<TickFormat>, schemaIdOf: SchemaIdOf): TickEncoder[] {
  return [...formats].map((format) => encoderOf(format, schemaIdOf));
}

function encoderOf(format: TickFormat, schemaIdOf: SchemaIdOf): TickEncoder {
  const target = new Uint8Array(MAX_TICK_BYTES);
  switch (format) {
    case 'avro':
      return {
        format,
        target,
        prefix: ({ exchange, symbol, exchangeSymbol }, channel, producer) =>
          encodeTickPrefix(schemaIdOf(channel), exchange, symbol, exchangeSymbol, producer),
        trade: writeTrade,
        quote: writeQuote,
      };
    case 'json':
      return {
        format,
        target,
        prefix: ({ exchange, symbol, exchangeSymbol }, _channel, producer) =>
          encodeJsonPrefix(exchange, symbol, exchangeSymbol, producer),
        trade: writeTradeJson,
        quote: writeQuoteJson,
      };
    case 'protobuf':
      return {
        format,
        target,
        prefix: ({ exchange, symbol, exchangeSymbol }, _channel, producer) =>
          encodeProtoPrefix(exchange, symbol, exchangeSymbol, producer),
        trade: writeTradeProto,
        quote: writeQuoteProto,
      };
  }
}
