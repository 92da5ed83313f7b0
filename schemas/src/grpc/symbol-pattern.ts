/** Whether a text of `symbols` stands for many: `*`, `*-USDT`. */
export function isSymbolPattern(text: string): boolean {
  return text.includes('*');
}

/** Whether a symbol fits a pattern, in which `*` stands for any run of characters and all else for itself. */
export function symbolFits(pattern: string, symbol: string): boolean {
  const parts = pattern.split('*');
  const first = parts[0]!;
  if (parts.length === 1) return pattern === symbol;
  const last = parts[parts.length - 1]!;
  if (symbol.length < first.length + last.length) return false;
  if (!symbol.startsWith(first) || !symbol.endsWith(last)) return false;
  // Each part at the first place it fits: no pattern makes this slow, as a regular expression's could.
  let at = first.length;
  const end = symbol.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = symbol.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
