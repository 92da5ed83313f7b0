/** A count with its noun, for people: `1 broker`, `12,000 records`, `2 copies`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}
