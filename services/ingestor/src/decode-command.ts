import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import type { Decimal, ExchangeName, QuoteDraft, TradeDraft } from '@tickline/schemas';
import { EXCHANGES, isExchangeName, NO_TIME, SIDES } from '@tickline/schemas';
import { nearestOf } from './config/format.ts';
import { type Control, type FrameHandler, type InvalidReason, ListingError } from './exchanges/exchange.ts';
import type { IndexedInstrument } from './exchanges/instrument.ts';
import { InstrumentIndex } from './exchanges/instrument-index.ts';
import { exchanges } from './exchanges/registry.ts';
import { unlistedInstrument } from './exchanges/unlisted-instrument.ts';
import { LineSplitter } from './line-splitter.ts';

const HELP = `tickline-ingestor decode: recorded frames in, ticks out

  npm run --silent decode -- --exchange NAME [--instruments FILE] [--any-instrument] < frames.jsonl

Reads one frame per line from standard input, as the exchange sent it, and writes one JSON line for
each: {"ticks":[…],"control":null|"ack"|"pong"|…,"error":null|"reason: detail"}. A tick is its record
as plain JSON with its "channel": decimals as plain strings, times in microseconds; receiveTime,
producer, session and sequence are null. It is the decoder of the live path, without its state: no
check for repeats, gaps or clocks.

  --exchange NAME      ${EXCHANGES.join(', ')}
  --instruments FILE   the exchange's listing, saved as JSON:
                         binance     GET /api/v3/exchangeInfo
                         bybit-spot  GET /v5/market/instruments-info?category=spot
                         okx         GET /api/v5/public/instruments?instType=SPOT (or SWAP, FUTURES)
                         kraken      the snapshot frame of the channel "instrument"
                       pages or several answers may stand in one JSON array (bybit-spot, okx)
  --any-instrument     take names that are not listed as they are; quantities that OKX counts in
                       contracts stay "contracts", with "quantity" null
  --integrity          reserved for the order books
  --help               this text

Exit codes: 0 all lines were answered (errors are in the lines); 1 reading or writing failed; 2 wrong
options.
`;

const OPTIONS = ['--exchange', '--instruments', '--any-instrument', '--integrity', '--help'] as const;
const BOTH_WAYS = 'name the listing by --instruments FILE, or take names as they are by --any-instrument';
/** No exchange sends more in a frame; a longer line is answered by an error without being held. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
/** Errors named in one line: an array may hold thousands of bad ticks. */
const MAX_ERRORS_NAMED = 5;

/** Wrong options: a sentence that names the option and what it takes. */
class UsageError extends Error {
  override name = 'UsageError';
}

interface DecodeOptions {
  readonly exchange: ExchangeName;
  readonly instrumentsFile: string | null;
  readonly anyInstrument: boolean;
}

/** The streams of a process, or a test's. */
export interface DecodeIo {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** The command `decode`; resolves with the exit code. See its `--help`. */
export async function decodeCommand(argv: readonly string[], io: DecodeIo): Promise<number> {
  let decode: (line: Uint8Array) => string;
  try {
    const options = readOptions(argv);
    if (options === 'help') {
      io.stdout.write(HELP);
      return 0;
    }
    decode = await lineDecoder(options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 2;
  }
  return answerLines(decode, io);
}

function readOptions(argv: readonly string[]): DecodeOptions | 'help' {
  let exchange: ExchangeName | null = null;
  let instrumentsFile: string | null = null;
  let anyInstrument = false;
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at]!;
    const equals = argument.startsWith('--') ? argument.indexOf('=') : -1;
    const name = equals === -1 ? argument : argument.slice(0, equals);
    const value = (): string => {
      const given = equals === -1 ? argv[++at] : argument.slice(equals + 1);
      if (given === undefined || given === '' || (equals === -1 && given.startsWith('--'))) {
        throw new UsageError(
          `${name} needs a value: ${name === '--exchange' ? EXCHANGES.join(', ') : 'a JSON file'}`,
        );
      }
      return given;
    };
    if (name === '--help' || name === '-h') return 'help';
    if (name === '--exchange') exchange = readExchange(value());
    else if (name === '--instruments') instrumentsFile = value();
    else if (equals !== -1 && (name === '--any-instrument' || name === '--integrity')) {
      throw new UsageError(`${name} takes no value`);
    } else if (name === '--any-instrument') anyInstrument = true;
    else if (name === '--integrity') {
      throw new UsageError('--integrity is reserved for the order books, which are not there yet');
    } else {
      const nearest = nearestOf(name, [...OPTIONS]);
      const hint = nearest === null ? '.' : `, did you mean ${nearest}?`;
      throw new UsageError(`${name} is not an option of decode${hint} It takes ${OPTIONS.join(', ')}.`);
    }
  }
  if (exchange === null) throw new UsageError(`--exchange is missing: one of ${EXCHANGES.join(', ')}`);
  return { exchange, instrumentsFile, anyInstrument };
}

function readExchange(name: string): ExchangeName {
  if (isExchangeName(name)) return name;
  const nearest = nearestOf(name, [...EXCHANGES]);
  const hint = nearest === null ? '' : `, did you mean ${nearest}?`;
  throw new UsageError(`--exchange ${name} is not known${hint} It is one of ${EXCHANGES.join(', ')}.`);
}

/** A function from a line to its answer. */
async function lineDecoder(options: DecodeOptions): Promise<(line: Uint8Array) => string> {
  const exchange = exchanges[options.exchange];
  const index = new InstrumentIndex(
    options.anyInstrument ? (name) => unlistedInstrument(exchange.name, name) : null,
  );
  if (options.instrumentsFile !== null) {
    const answer = await readInstrumentsFile(options.instrumentsFile);
    try {
      for (const instrument of exchange.parseInstruments(answer)) index.add(instrument);
    } catch (error) {
      if (!(error instanceof ListingError)) throw error;
      throw new UsageError(`--instruments ${options.instrumentsFile}: ${error.message}`);
    }
  }
  const decoder = exchange.createDecoder(index);
  const hint = options.instrumentsFile === null && !options.anyInstrument ? `: ${BOTH_WAYS}` : '';
  const answer = new LineAnswer(hint);
  return (line) => {
    answer.begin();
    if (isBlank(line)) answer.invalid('not-json', 'the line is empty');
    else decoder.decode(line, 0, line.length, answer);
    return answer.text();
  };
}

async function readInstrumentsFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--instruments ${path} cannot be read: ${messageOf(error)}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--instruments ${path} is not JSON: ${messageOf(error)}`);
  }
}

/** Answers each line of standard input; resolves with the exit code. */
async function answerLines(decode: (line: Uint8Array) => string, io: DecodeIo): Promise<number> {
  const output = new LineOutput(io.stdout);
  const tooLong = JSON.stringify({
    ticks: [],
    control: null,
    error: `not-json: the line is longer than ${MAX_LINE_BYTES} bytes`,
  });
  const lines = new LineSplitter(MAX_LINE_BYTES, (line) =>
    output.add(line === null ? tooLong : decode(line)),
  );
  try {
    for await (const chunk of io.stdin) {
      lines.take(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      if (!(await output.flush())) break;
    }
    lines.end();
    await output.flush();
  } catch (error) {
    io.stderr.write(`standard input cannot be read: ${messageOf(error)}\n`);
    return 1;
  }
  // A reader that has seen enough (`| head`) closes the pipe: no failure of ours.
  if (output.failure === null || output.failure.code === 'EPIPE') return 0;
  io.stderr.write(`standard output cannot be written: ${output.failure.message}\n`);
  return 1;
}

/** Collects lines and writes them as one piece, waiting while the reader is behind. */
class LineOutput {
  failure: NodeJS.ErrnoException | null = null;
  private readonly target: Writable;
  private lines: string[] = [];

  constructor(target: Writable) {
    this.target = target;
    target.on('error', (error: NodeJS.ErrnoException) => {
      this.failure ??= error;
    });
  }

  add(line: string): void {
    if (this.failure === null) this.lines.push(line, '\n');
  }

  /** False when nothing can be written any more. */
  async flush(): Promise<boolean> {
    const text = this.lines.join('');
    this.lines = [];
    if (this.failure !== null) return false;
    if (text === '' || this.target.write(text)) return true;
    try {
      // Rejects on 'error'.
      await once(this.target, 'drain');
    } catch (error) {
      if (this.failure === null) throw error;
    }
    return this.failure === null;
  }
}

type PlainTick = Readonly<Record<string, string | number | null>>;

/** What one frame gave, as the JSON line that answers it. */
class LineAnswer implements FrameHandler {
  private readonly unknownSymbolHint: string;
  private ticks: PlainTick[] = [];
  private kind: Control['kind'] | null = null;
  private errors: string[] = [];
  private errorCount = 0;

  constructor(unknownSymbolHint: string) {
    this.unknownSymbolHint = unknownSymbolHint;
  }

  begin(): void {
    this.ticks = [];
    this.kind = null;
    this.errors = [];
    this.errorCount = 0;
  }

  text(): string {
    const more = this.errorCount - this.errors.length;
    const named = more === 0 ? this.errors : [...this.errors, `and ${more} more`];
    const error = named.length === 0 ? null : named.join('; ');
    return JSON.stringify({ ticks: this.ticks, control: this.kind, error });
  }

  trade(instrument: IndexedInstrument, trade: TradeDraft): void {
    this.ticks.push({
      channel: 'trades',
      ...headOf(instrument, trade.exchangeTime),
      price: plain(trade.price),
      quantity: plain(trade.quantity),
      contracts: plain(trade.contracts),
      side: SIDES[trade.side],
      tradeId: trade.tradeId.toString(),
      fillCount: trade.fillCount === 0 ? null : trade.fillCount,
    });
  }

  quote(instrument: IndexedInstrument, quote: QuoteDraft): void {
    this.ticks.push({
      channel: 'quotes',
      ...headOf(instrument, quote.exchangeTime),
      bidPrice: plain(quote.bidPrice),
      bidQuantity: plain(quote.bidQuantity),
      askPrice: plain(quote.askPrice),
      askQuantity: plain(quote.askQuantity),
      bidContracts: plain(quote.bidContracts),
      askContracts: plain(quote.askContracts),
      updateId: quote.updateId.isEmpty ? null : quote.updateId.toString(),
    });
  }

  skipped(): void {}

  control(control: Control): void {
    this.kind = control.kind;
  }

  invalid(reason: InvalidReason, detail: string): void {
    if (++this.errorCount > MAX_ERRORS_NAMED) return;
    const hint = reason === 'unknown-symbol' ? this.unknownSymbolHint : '';
    this.errors.push(`${reason}: ${detail}${hint}`);
  }
}

/** The fields that every tick has, in the record's order; null is what only a live session knows. */
function headOf(instrument: IndexedInstrument, exchangeTime: number): PlainTick {
  return {
    exchange: instrument.exchange,
    symbol: instrument.symbol,
    exchangeSymbol: instrument.exchangeSymbol,
    producer: null,
    session: null,
    exchangeTime: exchangeTime === NO_TIME ? null : exchangeTime,
    receiveTime: null,
    sequence: null,
    conflated: 0,
  };
}

function plain(decimal: Decimal): string | null {
  return decimal.isNull ? null : decimal.toString();
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
