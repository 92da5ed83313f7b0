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

/** The encoders of the formats that some sink wants. `schemaIds` is needed for Avro only. */
export function tickEncoders(
  formats: ReadonlySet<TickFormat>,
  schemaIds: Readonly<Record<RecordTopic, number>> | null,
): TickEncoder[] {
  return [...formats].map((format) => encoderOf(format, schemaIds));
}

function encoderOf(format: TickFormat, schemaIds: Readonly<Record<RecordTopic, number>> | null): TickEncoder {
  const target = new Uint8Array(MAX_TICK_BYTES);
  switch (format) {
    case 'avro':
      if (schemaIds === null) throw new Error('Avro ticks need the ids of their schemas');
      return {
        format,
        target,
        prefix: ({ exchange, symbol, exchangeSymbol }, channel, producer) =>
          encodeTickPrefix(schemaIds[channel], exchange, symbol, exchangeSymbol, producer),
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
