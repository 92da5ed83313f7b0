import type { RecordTopic } from '@tickline/schemas';
import { exportColumns } from '../export/export-columns.ts';
import type { TextSyntax } from '../export/text-rows.ts';
import type { RecordView } from '../reading/records.ts';
import { RecordLines } from './record-lines.ts';
import { type Colour, Table, type TableColumn } from './table.ts';
import { formatTime, type TimeStyle } from './time.ts';

const TAB = 0x09;
const SPACE = 0x20;
const DELETE = 0x7f;
/** How often the titles are written again. */
const ROWS_PER_HEADER = 500;

type Layout = readonly (readonly [field: string, column: TableColumn])[];

const TIME_WIDTH: Readonly<Record<TimeStyle, number>> = { utc: 27, local: 32, relative: 12 };

/** What a line for people shows of each topic's records. */
const LAYOUTS: Readonly<Record<RecordTopic, Layout>> = {
  trades: [
    ['exchange', { title: 'exchange', align: 'left', width: 10 }],
    ['symbol', { title: 'symbol', align: 'left', width: 10 }],
    ['side', { title: 'side', align: 'left', width: 4 }],
    ['price', { title: 'price', align: 'number', width: 12 }],
    ['quantity', { title: 'quantity', align: 'number', width: 14 }],
    ['tradeId', { title: 'trade id', align: 'left' }],
  ],
  quotes: [
    ['exchange', { title: 'exchange', align: 'left', width: 10 }],
    ['symbol', { title: 'symbol', align: 'left', width: 10 }],
    ['bidQuantity', { title: 'bid quantity', align: 'number', width: 14 }],
    ['bidPrice', { title: 'bid', align: 'number', width: 12 }],
    ['askPrice', { title: 'ask', align: 'number', width: 12 }],
    ['askQuantity', { title: 'ask quantity', align: 'number', width: 14 }],
  ],
  status: [
    ['exchange', { title: 'exchange', align: 'left', width: 10 }],
    ['symbol', { title: 'symbol', align: 'left', width: 10 }],
    ['channel', { title: 'channel', align: 'left', width: 7 }],
    ['state', { title: 'state', align: 'left', width: 12 }],
    ['count', { title: 'count', align: 'right' }],
    ['reason', { title: 'reason', align: 'left' }],
  ],
};

const CELL_COLOURS: ReadonlyMap<string, Colour> = new Map([
  ['buy', 'green'],
  ['sell', 'red'],
  ['live', 'green'],
  ['gap', 'red'],
  ['stale', 'yellow'],
  ['shedding', 'red'],
  ['rejected', 'red'],
]);

/** Values between tabs. Control characters of a text become spaces: they must not reach a terminal. */
const CELLS: Omit<TextSyntax, 'before'> = {
  extension: '.txt',
  header: new Uint8Array(0),
  none: Buffer.from('-'),
  rowEnd: new Uint8Array(0),
  quotesNumbers: false,
  growth: 1,
  writeText(bytes, start, end, target, offset) {
    let to = offset;
    for (let at = start; at < end; at++) {
      const byte = bytes.getUint8(at);
      // U+0080 to U+009F are control characters too: 0xc2 and one more byte in UTF-8.
      const isControl =
        byte < SPACE || byte === DELETE || (byte === 0xc2 && at + 1 < end && bytes.getUint8(at + 1) < 0xa0);
      if (isControl && byte === 0xc2) at++;
      target.setUint8(to++, isControl ? SPACE : byte);
    }
    return to;
  },
};

/** Records of one topic as aligned lines for people, with a line of titles now and then. */
export class RecordTable {
  private readonly layout: Layout;
  private readonly lines: RecordLines;
  private readonly table: Table;
  private readonly style: TimeStyle;
  private readonly now: () => number;
  private rows = 0;
  private text = '';

  /** @param now milliseconds since the epoch, for relative times */
  constructor(
    topic: RecordTopic,
    readerSchema: string,
    style: TimeStyle,
    hasColours: boolean,
    now: () => number,
  ) {
    this.layout = LAYOUTS[topic];
    this.style = style;
    this.now = now;
    const columns = exportColumns(readerSchema, {
      names: this.layout.map(([field]) => field),
      positions: false,
    });
    const before = columns.map((_, index) => (index === 0 ? new Uint8Array(0) : Uint8Array.of(TAB)));
    this.lines = new RecordLines(columns, { ...CELLS, before }, 'micros');
    this.table = new Table(
      [
        { title: 'received', align: 'left', width: TIME_WIDTH[style] },
        ...this.layout.map(([, column]) => column),
      ],
      hasColours,
    );
  }

  get isEmpty(): boolean {
    return this.text === '';
  }

  /** Adds a record. Throws UnreadableRecordError. */
  append(view: RecordView): void {
    this.lines.append(view);
    const cells = [
      formatTime(view.receiveTime, this.style, this.now()),
      ...Buffer.from(this.lines.take()).toString('utf8').split('\t'),
    ];
    const colours = new Map<number, Colour>();
    for (const [index, cell] of cells.entries()) {
      const colour = CELL_COLOURS.get(cell);
      if (colour !== undefined) colours.set(index, colour);
    }
    const row = this.table.row(cells, colours);
    if (this.rows++ % ROWS_PER_HEADER === 0) this.text += `${this.table.header()}\n`;
    this.text += `${row}\n`;
  }

  get isFull(): boolean {
    return this.text.length >= FULL_CHARACTERS;
  }

  /** The lines so far. */
  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }
}

const FULL_CHARACTERS = 64 * 1024;
