import { styleText } from 'node:util';
import stringWidth from 'string-width';

/** How a text looks where colours are on. */
export type Tone = 'plain' | 'strong' | 'dim' | 'good' | 'warn' | 'bad' | 'up' | 'down';

/** A text with its tone. */
export interface Cell {
  readonly text: string;
  readonly tone?: Tone;
}

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /**
   * Columns go in this order, highest first and equal ones together, where the screen is too narrow; 0 or none:
   * it stays.
   */
  readonly expendable?: number;
}

/** Two blanks between columns: enough to tell numbers apart. */
const GAP = 2;

const styles = {
  strong: 'bold',
  dim: 'dim',
  good: 'green',
  warn: 'yellow',
  bad: 'red',
  up: 'green',
  down: 'red',
} as const;

/** A text in its tone; the text itself where colours are off. */
export function toned({ text, tone }: Cell, colour: boolean): string {
  if (!colour || tone === undefined || tone === 'plain' || text === '') return text;
  return styleText(styles[tone], text, { validateStream: false });
}

/** A text cut to a width in columns, with an ellipsis where something is missing. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const character of text) {
    used += stringWidth(character);
    if (used > width) break;
    kept += character;
  }
  return width > 0 ? `${kept}…` : '';
}

/** What short titles mean, in one line where it fits. */
export function legend(parts: readonly string[], width: number): readonly string[] {
  const line = parts.join(' · ');
  return stringWidth(line) <= width ? [line] : parts;
}

/**
 * Lines of a table no wider than `width`: a title line, then the rows; columns as wide as their widest text.
 * Columns that do not fit are left out by their `expendable`, then lines are cut.
 */
export function textTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  colour: boolean,
): string[] {
  const widths = columns.map(({ title }, at) =>
    Math.max(stringWidth(title), ...rows.map((row) => stringWidth(row[at]?.text ?? ''))),
  );
  let kept = columns.map((_, at) => at);
  const total = (): number =>
    kept.reduce((sum, at) => sum + widths[at]!, 0) + GAP * Math.max(0, kept.length - 1);
  while (total() > width) {
    const worst = Math.max(...kept.map((at) => expendable(columns[at]!)));
    if (worst === 0) break;
    kept = kept.filter((at) => expendable(columns[at]!) !== worst);
  }
  const line = (cells: readonly Cell[]): string => {
    let left = width;
    const parts: string[] = [];
    for (const [position, at] of kept.entries()) {
      const gap = position === 0 ? 0 : GAP;
      const room = Math.min(widths[at]!, left - gap);
      if (room <= 0) break;
      left -= gap + room;
      const cell = cells[at] ?? { text: '' };
      const text = cut(cell.text, room);
      const padding = ' '.repeat(Math.max(0, room - stringWidth(text)));
      const shown = toned({ ...cell, text }, colour);
      parts.push(' '.repeat(gap) + (columns[at]!.align === 'left' ? shown + padding : padding + shown));
    }
    return parts.join('').trimEnd();
  };
  return [line(columns.map(({ title }) => ({ text: title, tone: 'dim' }))), ...rows.map(line)];
}

function expendable(column: Column): number {
  return column.expendable ?? 0;
}
