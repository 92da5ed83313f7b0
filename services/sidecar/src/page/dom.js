/**
 * Makes an element. Texts become text nodes, never markup: what exchanges and peers send is shown as it is.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string>>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * @param {string} tag
 * @param {Readonly<Record<string, string>>} [attributes]
 * @param {...Node} children
 */
export function makeSvg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Sets a text where it changed: what stays the same is not touched, so that a selection in it survives and a screen
 * reader hears nothing.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * An element of the page that is always there.
 * @param {string} id
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** @type {WeakMap<Element, unknown>} */
const parts = new WeakMap();

/**
 * What was put into an element the first time.
 * @template Part
 * @param {Element} element
 * @param {() => Part} create
 * @returns {Part}
 */
export function partOf(element, create) {
  if (!parts.has(element)) parts.set(element, create());
  return /** @type {Part} */ (parts.get(element));
}

/** @typedef {import('../snapshot.ts').Tone} Tone */

/** A shape for each tone, so that nothing is told by colour alone. @type {Readonly<Record<Tone, string>>} */
const SHAPES = { good: '●', warn: '▲', bad: '■' };

/**
 * Shows a word with its tone in an element.
 * @param {Element} element
 * @param {Tone} tone
 * @param {string} word
 */
export function setTag(element, tone, word) {
  const { tag, shape, text } = partOf(element, () => {
    const shapePart = make('span', { 'aria-hidden': 'true', class: 'shape' });
    const textPart = make('span');
    const tagPart = make('span', { class: 'tag' }, shapePart, textPart);
    element.append(tagPart);
    return { tag: tagPart, shape: shapePart, text: textPart };
  });
  setAttribute(tag, 'data-tone', tone);
  setText(shape, SHAPES[tone]);
  setText(text, word);
}
