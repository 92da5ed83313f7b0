/** How a column of a table is aligned: `number`s by their decimal point, no digit added or lost. */
export type Alignment = 'left' | 'right' | 'number';

/** A column of a table. */
export interface TableColumn {
  readonly title: string;
  readonly align: Alignment;
  /** The first guess of its width; it grows with what comes. */
  readonly width?: number;
}

/** Colours of a terminal (ECMA-48, SGR). */
export const COLOURS = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;
export type Colour = keyof typeof COLOURS;

const GAP = '  ';

/**
 * Lays out rows one after the other: widths only grow, so that what was written stays aligned with what comes as
 * long as nothing wider does.
 */
export class Table {
  private readonly columns: readonly TableColumn[];
  private readonly hasColours: boolean;
  /** Of numbers: before the point, and the point with what is behind it. */
  private readonly wholes: number[];
  private readonly fractions: number[];
  private readonly widths: number[];

  constructor(columns: readonly TableColumn[], hasColours: boolean) {
    this.columns = columns;
    this.hasColours = hasColours;
    this.wholes = columns.map(() => 0);
    this.fractions = columns.map(() => 0);
    this.widths = columns.map(({ title, width = 0 }) => Math.max(width, title.length));
  }

  /** Makes room for a row that is written later. */
  measure(cells: readonly string[]): void {
    for (const [index, cell] of cells.entries()) {
      if (this.columns[index]!.align === 'number') {
        const point = pointOf(cell);
        this.wholes[index] = Math.max(this.wholes[index]!, point);
        this.fractions[index] = Math.max(this.fractions[index]!, cell.length - point);
        this.widths[index] = Math.max(this.widths[index]!, this.wholes[index]! + this.fractions[index]!);
      } else {
        this.widths[index] = Math.max(this.widths[index]!, cell.length);
      }
    }
  }

  /** The titles, without a line end. */
  header(): string {
    const line = this.columns
      .map(({ title, align }, index) =>
        align === 'left' ? title.padEnd(this.widths[index]!) : title.padStart(this.widths[index]!),
      )
      .join(GAP)
      .trimEnd();
    return this.paint(line, 'dim');
  }

  /** One row, without a line end. `colours`: of cells by their place. */
  row(cells: readonly string[], colours: ReadonlyMap<number, Colour> = new Map()): string {
    this.measure(cells);
    return cells
      .map((cell, index) => this.paint(this.laidOut(cell, index), colours.get(index) ?? null))
      .join(GAP)
      .trimEnd();
  }

  private laidOut(cell: string, index: number): string {
    const width = this.widths[index]!;
    const { align } = this.columns[index]!;
    if (align === 'left') return cell.padEnd(width);
    if (align === 'right') return cell.padStart(width);
    const behind = this.fractions[index]! - (cell.length - pointOf(cell));
    return (cell + ' '.repeat(behind)).padStart(width);
  }

  private paint(text: string, colour: Colour | null): string {
    return this.hasColours && colour !== null ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text;
  }
}

/** A whole table at once, with a line end behind each row. */
export function tableText(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  hasColours: boolean,
  colours: (row: number) => ReadonlyMap<number, Colour> = () => new Map(),
): string {
  const table = new Table(columns, hasColours);
  for (const row of rows) table.measure(row);
  return [table.header(), ...rows.map((row, index) => table.row(row, colours(index)))]
    .map((line) => `${line}\n`)
    .join('');
}

/** Whether colours are wanted: on a terminal, unless NO_COLOR says otherwise (no-color.org). */
export function wantsColours(isTTY: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTTY && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

function pointOf(cell: string): number {
  const point = cell.indexOf('.');
  return point < 0 ? cell.length : point;
}
