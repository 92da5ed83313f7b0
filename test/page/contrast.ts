import type { Page } from 'playwright-core';

/** The least contrast of text that WCAG 2.2 asks for at level AA (success criterion 1.4.3). */
export const LEAST_CONTRAST = 4.5;

/** A text that is too faint. */
export interface FaintText {
  readonly text: string;
  readonly contrast: number;
  readonly colour: string;
  readonly ground: string;
}

// Runs in the page. Luminance and contrast as WCAG 2.2 defines them ("relative luminance", "contrast ratio").
const SCRIPT = `(() => {
  const parse = (colour) => {
    const match = /^rgba?\\(([\\d.]+), ([\\d.]+), ([\\d.]+)(?:, ([\\d.]+))?\\)$/.exec(colour);
    if (match === null) throw new Error('a colour that is not understood: ' + colour);
    return [Number(match[1]), Number(match[2]), Number(match[3]), match[4] === undefined ? 1 : Number(match[4])];
  };
  const over = ([r, g, b, a], ground) => [r, g, b].map((part, at) => part * a + ground[at] * (1 - a));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (element) => {
    const layers = [];
    for (let each = element; each !== null; each = each.parentElement) {
      layers.push(parse(getComputedStyle(each).backgroundColor));
    }
    return layers.reverse().reduce((ground, layer) => over(layer, ground), [255, 255, 255]);
  };
  const faint = [];
  let judged = 0;
  const judge = (text, element, style) => {
    const ground = groundOf(element);
    const colour = over(parse(style.color), ground);
    const [light, dark] = [luminance(colour), luminance(ground)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    judged++;
    if (contrast < ${LEAST_CONTRAST}) {
      faint.push({ text, contrast, colour: style.color, ground: 'rgb(' + ground.map(Math.round).join(', ') + ')' });
    }
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { nodeValue, parentElement } = texts.currentNode;
    if (nodeValue.trim() === '' || parentElement.closest('.unseen, noscript, option') !== null) continue;
    if (parentElement.getClientRects().length === 0) continue;
    judge(nodeValue.trim(), parentElement, getComputedStyle(parentElement));
  }
  for (const field of document.querySelectorAll('select, input')) judge(field.name || field.id, field, getComputedStyle(field));
  for (const cell of document.querySelectorAll('td')) {
    const before = getComputedStyle(cell, '::before');
    if (before.content !== 'none' && cell.getClientRects().length > 0) judge(before.content, cell, before);
  }
  return { judged, faint };
})()`;

/** All visible texts of the page that are too faint, and how many were looked at. */
export async function faintTexts(page: Page): Promise<{ judged: number; faint: readonly FaintText[] }> {
  return page.evaluate(SCRIPT);
}
