import { makeSvg, setAttribute } from './dom.js';
import { duration, rate } from './format.js';

const WIDTH = 150;
const HEIGHT = 28;
const INSET = 2;

/** A line over recent values, with holes where nothing is known, and the same in words. */
export class Sparkline {
  constructor() {
    this.line = makeSvg('path', { class: 'line' });
    this.area = makeSvg('path', { class: 'area' });
    this.element = makeSvg(
      'svg',
      { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' },
      this.area,
      this.line,
    );
  }

  /**
   * @param {readonly (number | null)[]} values the oldest first
   * @param {number} stepMs
   */
  update(values, stepMs) {
    const known = values.filter((value) => value !== null);
    const most = Math.max(1, ...known);
    const last = Math.max(1, values.length - 1);
    let line = '';
    let area = '';
    let start = 0;
    let isOpen = false;
    for (const [place, value] of values.entries()) {
      const x = Math.round((place / last) * WIDTH * 10) / 10;
      if (value === null) {
        if (isOpen) area += `V${HEIGHT}H${start}Z`;
        isOpen = false;
        continue;
      }
      const y = Math.round((HEIGHT - INSET - (value / most) * (HEIGHT - 2 * INSET)) * 10) / 10;
      line += `${isOpen ? 'L' : 'M'}${x} ${y}`;
      area += `${isOpen ? 'L' : `M${x} ${HEIGHT}L`}${x} ${y}`;
      if (!isOpen) start = x;
      isOpen = true;
    }
    if (isOpen) area += `V${HEIGHT}H${start}Z`;
    setAttribute(this.line, 'd', line);
    setAttribute(this.area, 'd', area);
    setAttribute(this.element, 'aria-label', inWords(known, values.length * stepMs));
  }
}

/**
 * @param {readonly number[]} known
 * @param {number} spanMs
 */
function inWords(known, spanMs) {
  const latest = known.at(-1);
  if (latest === undefined) return 'Messages a second: not known yet';
  const least = rate(Math.min(...known));
  const most = rate(Math.max(...known));
  return `Messages a second over ${duration(spanMs)}: ${rate(latest)} at last, between ${least} and ${most}`;
}
