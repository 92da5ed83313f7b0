/** Whether a text of `symbols` stands for many: `*`, `*-USDT`. */
export function isPattern(text: string): boolean {
  return text.includes('*');
}

/** Whether a symbol is named by a list of symbols and patterns, in which `*` stands for any run of characters. */
export function symbolMatcher(wanted: readonly string[]): (symbol: string) => boolean {
  const names = new Set(wanted.filter((text) => !isPattern(text)));
  const patterns = wanted.filter(isPattern).map(
    (text) =>
      new RegExp(
        `^${text
          .split('*')
          .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
          .join('.*')}$`,
        'su',
      ),
  );
  return (symbol) => names.has(symbol) || patterns.some((pattern) => pattern.test(symbol));
}
