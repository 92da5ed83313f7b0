/** How many names a message offers. */
const OFFERED = 3;

/** The candidates that were probably meant, the likeliest first; none when nothing is near. */
export function nearestNames(text: string, candidates: Iterable<string>): string[] {
  const wanted = text.toLowerCase();
  return [...new Set(candidates)]
    .map((name) => ({ name, edits: edits(wanted, name.toLowerCase()) }))
    .filter(
      ({ name, edits: count }) => count <= Math.max(2, Math.floor(Math.max(text.length, name.length) / 3)),
    )
    .sort((a, b) => a.edits - b.edits || (a.name < b.name ? -1 : 1))
    .slice(0, OFFERED)
    .map(({ name }) => name);
}

/** Levenshtein's distance: characters to insert, remove or replace. */
function edits(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const line = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = above[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      line.push(Math.min(replaced, above[column]! + 1, line[column - 1]! + 1));
    }
    above = line;
  }
  return above[to.length]!;
}
