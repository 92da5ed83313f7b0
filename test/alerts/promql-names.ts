/** Names in a PromQL expression. */
export interface PromqlNames {
  readonly metrics: readonly string[];
  /** Labels that series are chosen, grouped or joined by. */
  readonly labels: readonly string[];
}

const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);
const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;

/** The metrics and labels that an expression names; what promtool accepts is assumed. */
export function namesIn(expr: string): PromqlNames {
  const labels = new Set<string>();
  const bare = expr
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\{([^}]*)\}/g, (_, matchers: string) => {
      for (const [, label] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) labels.add(label!);
      return '';
    })
    .replace(/\[[^\]]*\]/g, '')
    .replace(GROUPING, (_, list: string) => {
      for (const label of list.split(',')) if (label.trim() !== '') labels.add(label.trim());
      return ' ';
    });
  const metrics = new Set<string>();
  for (const [name] of bare.matchAll(/(?<![\w.])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])/g)) {
    if (!WORDS.has(name.toLowerCase())) metrics.add(name);
  }
  return { metrics: [...metrics], labels: [...labels] };
}
