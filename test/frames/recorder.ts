import type { Decimal, QuoteDraft, TradeDraft } from '@tickline/schemas';
import { NO_TIME, SIDES } from '@tickline/schemas';
import type { Control, FrameHandler, InvalidReason } from '../../services/ingestor/src/exchanges/exchange.ts';
import type { IndexedInstrument } from '../../services/ingestor/src/exchanges/instrument.ts';
import type { ExpectedTick } from './oracle.ts';

/** Keeps all that a decoder says of frames, as plain values. */
export class Recorder implements FrameHandler {
  ticks: ExpectedTick[] = [];
  controls: Control[] = [];
  errors: { reason: InvalidReason; detail: string }[] = [];
  skips: string[] = [];

  clear(): void {
    this.ticks = [];
    this.controls = [];
    this.errors = [];
    this.skips = [];
  }

  trade(instrument: IndexedInstrument, trade: TradeDraft): void {
    this.ticks.push({
      channel: 'trades',
      exchangeSymbol: instrument.exchangeSymbol,
      exchangeTime: timeOf(trade.exchangeTime),
      price: textOf(trade.price),
      quantity: textOf(trade.quantity),
      contracts: textOf(trade.contracts),
      side: SIDES[trade.side],
      tradeId: trade.tradeId.toString(),
      fillCount: trade.fillCount === 0 ? null : trade.fillCount,
    });
  }

  quote(instrument: IndexedInstrument, quote: QuoteDraft): void {
    this.ticks.push({
      channel: 'quotes',
      exchangeSymbol: instrument.exchangeSymbol,
      exchangeTime: timeOf(quote.exchangeTime),
      bidPrice: textOf(quote.bidPrice),
      bidQuantity: textOf(quote.bidQuantity),
      askPrice: textOf(quote.askPrice),
      askQuantity: textOf(quote.askQuantity),
      bidContracts: textOf(quote.bidContracts),
      askContracts: textOf(quote.askContracts),
      updateId: quote.updateId.isEmpty ? null : quote.updateId.toString(),
    });
  }

  skipped(nativeChannel: string): void {
    this.skips.push(nativeChannel);
  }

  control(control: Control): void {
    this.controls.push(control);
  }

  invalid(reason: InvalidReason, detail: string): void {
    this.errors.push({ reason, detail });
  }
}

function textOf(decimal: Decimal): string | null {
  return decimal.isNull ? null : decimal.toString();
}

function timeOf(micros: number): number | null {
  return micros === NO_TIME ? null : micros;
}
