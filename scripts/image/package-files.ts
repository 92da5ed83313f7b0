/** Folders at the top of a package that no program loads from. */
const idleFolders: ReadonlySet<string> = new Set([
  ...['test', 'tests', '__tests__', 'bench', 'benchmark', 'benchmarks', 'coverage'],
  ...['doc', 'docs', 'example', 'examples', 'man', '.github', '.vscode'],
]);

/** Endings of files that no program loads: types, sources, maps, texts. */
const idleEndings = ['.ts', '.mts', '.cts', '.tsx', '.map', '.flow', '.tsbuildinfo', '.md', '.markdown'];

/**
 * Whether a file of an installed package is taken along. Licences always are, whatever their ending.
 * @param path of the file, below its package, with `/`
 */
export function isNeededAtRunTime(path: string): boolean {
  const parts = path.split('/');
  const file = parts.at(-1)?.toLowerCase() ?? '';
  if (/^(licen[cs]e|copying|notice)/.test(file)) return true;
  // A package within the package is copied by itself; a file that begins with a dot configures a tool.
  if (parts[0] === 'node_modules' || file.startsWith('.')) return false;
  if (parts.length > 1 && idleFolders.has(parts[0]!)) return false;
  return !idleEndings.some((ending) => file.endsWith(ending));
}
