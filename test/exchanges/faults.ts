/** Where a fault applies: everywhere on the exchange (the default), or on one connection by its id. */
interface Target {
  readonly connection?: string;
}

/** A standing fault is switched on (the default) or off. */
interface Switch {
  readonly on?: boolean;
}

/** Ways to break a frame. */
export type Corruption = 'not-json' | 'truncated' | 'invalid-price' | 'wrong-type';

/** A fault to switch on, off or fire once. Standing faults also apply to connections opened later. */
export type Fault =
  /** Once: end the socket by RST (`reset`, default), by FIN without a closing frame (`end`), or by a close frame. */
  | ({ readonly kind: 'drop'; readonly how?: 'reset' | 'end' | 'close'; readonly code?: number } & Target)
  /** Standing: no data; pings are answered and heartbeats sent unless `answerPings` is false. */
  | ({ readonly kind: 'silent'; readonly answerPings?: boolean } & Switch & Target)
  /** Standing: nothing is sent or answered any more, not even pongs; the socket stays. */
  | ({ readonly kind: 'half-open' } & Switch & Target)
  /** Standing: new connections get RST (`reset`) or an HTTP status on the upgrade (default 503). */
  | ({
      readonly kind: 'refuse';
      readonly how?: 'reset' | 403 | 418 | 429 | 503;
      readonly retryAfterSeconds?: number;
    } & Switch)
  /** Standing: every frame is written so many milliseconds later; 0 ends it. */
  | ({ readonly kind: 'delay'; readonly ms: number } & Target)
  /**
   * The next `frames` (default 1) data frames of each connection are preceded by a broken copy of themselves; with
   * `replace` the broken copy goes in their place, and they count as never written.
   */
  | ({
      readonly kind: 'corrupt';
      readonly how: Corruption;
      readonly frames?: number;
      readonly replace?: boolean;
    } & Target)
  /** Once: so many (default 1) well-formed frames of an unknown event type, or of a symbol that nobody asked for. */
  | ({ readonly kind: 'unknown'; readonly what: 'event' | 'symbol'; readonly frames?: number } & Target)
  /** Standing: subscriptions to these native symbols are refused as the exchange refuses an unknown one. */
  | ({ readonly kind: 'reject'; readonly symbols: readonly string[] } & Switch)
  /** Standing: new subscriptions (of these symbols, or all) are acknowledged and never get data. */
  | ({ readonly kind: 'ack-silent'; readonly symbols?: readonly string[] } & Switch)
  /** Standing: acknowledgements come so much later than the data; 0 ends it. */
  | ({ readonly kind: 'late-ack'; readonly ms: number } & Target)
  /** Once: announces the end of the connection (Binance serverShutdown, OKX 64008); closes it later if told so. */
  | ({ readonly kind: 'notice'; readonly closeAfterMs?: number } & Target)
  /** Standing: REST answers with a status, never, or by RST (default 503). */
  | ({ readonly kind: 'rest'; readonly how?: 'reset' | 'hang' | 429 | 500 | 503 } & Switch)
  /** Ends every standing fault. */
  | { readonly kind: 'clear' };

/** The faults that stand on a connection. */
export interface ConnectionFaults {
  silent: boolean;
  answerPings: boolean;
  halfOpen: boolean;
  delayMs: number;
  lateAckMs: number;
  corruptions: { how: Corruption; left: number; replace: boolean }[];
}

/** No fault at all. */
export function noFaults(): ConnectionFaults {
  return { silent: false, answerPings: true, halfOpen: false, delayMs: 0, lateAckMs: 0, corruptions: [] };
}

/** The faults that stand on the exchange itself; new connections start with `connection`. */
export interface ExchangeFaults {
  connection: ConnectionFaults;
  refuse: { how: 'reset' | number; retryAfterSeconds: number } | null;
  rest: 'reset' | 'hang' | number | null;
  /** Native symbols. */
  readonly rejected: Set<string>;
  ackSilent: 'all' | Set<string>;
}

/** An exchange without faults. */
export function noExchangeFaults(): ExchangeFaults {
  return { connection: noFaults(), refuse: null, rest: null, rejected: new Set(), ackSilent: new Set() };
}

/** Frames as an exchange prints them, for faults that must look genuine. */
export interface FaultFrames {
  /** Finds the first price of a data frame: `(what stands before)(the value with its quotes)`. */
  readonly price: RegExp;
  /** The text of a price that no exchange sends, in the exchange's own type. */
  readonly invalidPrice: string;
}

/** A broken copy of a frame. */
export function corrupted(text: string, how: Corruption, frames: FaultFrames): string {
  switch (how) {
    case 'not-json':
      return '<html>502 Bad Gateway</html>';
    case 'truncated':
      return text.slice(0, Math.floor((text.length * 2) / 3));
    case 'invalid-price':
      return text.replace(frames.price, `$1${frames.invalidPrice}`);
    case 'wrong-type':
      return text.replace(frames.price, '$1true');
  }
}

const kinds: readonly Fault['kind'][] = [
  'drop',
  'silent',
  'half-open',
  'refuse',
  'delay',
  'corrupt',
  'unknown',
  'reject',
  'ack-silent',
  'late-ack',
  'notice',
  'rest',
  'clear',
];

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((v) => typeof v === 'string');

/**
 * A fault from the JSON of the control interface.
 * @throws Error naming what is wrong
 */
export function parseFault(value: unknown): Fault {
  const fault = value as Record<string, unknown>;
  if (typeof value !== 'object' || value === null || !kinds.includes(fault.kind as Fault['kind'])) {
    throw new Error(`fault.kind must be one of ${kinds.join(', ')}`);
  }
  const required: Partial<Record<Fault['kind'], [string, boolean]>> = {
    delay: ['ms: a number', typeof fault.ms === 'number'],
    'late-ack': ['ms: a number', typeof fault.ms === 'number'],
    corrupt: [
      'how: not-json, truncated, invalid-price or wrong-type',
      ['not-json', 'truncated', 'invalid-price', 'wrong-type'].includes(String(fault.how)),
    ],
    unknown: ['what: event or symbol', fault.what === 'event' || fault.what === 'symbol'],
    reject: ['symbols: a list of native names', isTexts(fault.symbols)],
    'ack-silent': ['symbols: a list of native names', fault.symbols === undefined || isTexts(fault.symbols)],
  };
  const rule = required[fault.kind as Fault['kind']];
  if (rule !== undefined && !rule[1]) throw new Error(`fault "${String(fault.kind)}" needs ${rule[0]}`);
  return value as Fault;
}
