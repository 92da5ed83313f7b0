import { make, setAttribute, setText } from './dom.js';

/**
 * A column. The first one of a table names its rows.
 * @template Row
 * @typedef {object} Column
 * @property {string} title
 * @property {boolean} [isNumber]
 * @property {(cell: HTMLElement, row: Row) => void} fill writes into the cell what the row says now
 */

/**
 * A table whose rows stay in place while their contents change. On a narrow screen the style sheet turns rows into
 * cards; elements that are no table any more lose what they mean, hence the roles.
 * @template Row
 */
export class LiveTable {
  /**
   * @param {string} caption
   * @param {readonly Column<Row>[]} columns
   * @param {(row: Row) => string} keyOf
   */
  constructor(caption, columns, keyOf) {
    this.columns = columns;
    this.keyOf = keyOf;
    /** @type {Map<string, HTMLTableRowElement>} */
    this.rows = new Map();
    const head = make(
      'tr',
      { role: 'row' },
      ...columns.map(({ title, isNumber }) =>
        make('th', { role: 'columnheader', scope: 'col', ...(isNumber ? { class: 'number' } : {}) }, title),
      ),
    );
    this.body = make('tbody', { role: 'rowgroup' });
    this.element = make(
      'table',
      { role: 'table' },
      make('caption', { class: 'unseen' }, caption),
      make('thead', { role: 'rowgroup' }, head),
      this.body,
    );
  }

  /** @param {readonly Row[]} rows */
  update(rows) {
    const gone = new Set(this.rows.keys());
    for (const [place, row] of rows.entries()) {
      const key = this.keyOf(row);
      gone.delete(key);
      let line = this.rows.get(key);
      if (line === undefined) {
        line = this.makeRow();
        this.rows.set(key, line);
      }
      if (this.body.children[place] !== line) this.body.insertBefore(line, this.body.children[place] ?? null);
      for (const [at, { fill }] of this.columns.entries()) {
        const cell = line.children[at];
        if (cell instanceof HTMLElement) fill(cell, row);
      }
    }
    for (const key of gone) {
      this.rows.get(key)?.remove();
      this.rows.delete(key);
    }
  }

  makeRow() {
    const cells = this.columns.map(({ title, isNumber }, at) => {
      const named = { 'data-title': title, ...(isNumber ? { class: 'number' } : {}) };
      return at === 0
        ? make('th', { role: 'rowheader', scope: 'row', ...named })
        : make('td', { role: 'cell', ...named });
    });
    return make('tr', { role: 'row' }, ...cells);
  }
}

/**
 * A column of plain text.
 * @template Row
 * @param {string} title
 * @param {(row: Row) => string} read
 * @param {boolean} [isNumber]
 * @returns {Column<Row>}
 */
export function textColumn(title, read, isNumber = false) {
  return { title, isNumber, fill: (cell, row) => setText(cell, read(row)) };
}

/**
 * Shows a table, or a sentence in its place when it has no row.
 * @template Row
 * @param {LiveTable<Row>} table
 * @param {HTMLElement} sentence
 * @param {readonly Row[]} rows
 * @param {string} none
 */
export function showRows(table, sentence, rows, none) {
  table.update(rows);
  table.element.hidden = rows.length === 0;
  setAttribute(sentence, 'class', rows.length === 0 ? 'note' : 'unseen');
  setText(sentence, rows.length === 0 ? none : '');
}
