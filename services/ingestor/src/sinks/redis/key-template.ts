const PLACES = ['topic', 'exchange', 'symbol'] as const;
type Place = (typeof PLACES)[number];

/** What a key or channel name is made for. */
export type NamedStream = Readonly<Record<Place, string>>;

/**
 * The name of a stream or channel with places for what differs: `md:{topic}:{exchange}:{symbol}`. Braces that are
 * meant as such are doubled: `{{{exchange}}}:{topic}` gives `{okx}:trades`, whose braces are a Cluster's hash tag.
 */
export class KeyTemplate {
  readonly text: string;
  private readonly parts: readonly (Place | { readonly text: string })[];

  /** Throws an Error whose message goes behind the setting's name. */
  constructor(text: string, required: readonly Place[] = ['topic', 'exchange']) {
    this.text = text;
    this.parts = parse(text);
    for (const place of required) {
      if (!this.parts.includes(place)) {
        throw new Error(
          `must have the place {${place}}, else different ticks would share a name; is "${text}"`,
        );
      }
    }
  }

  /** What all names begin with. */
  get beginning(): string {
    const end = this.parts.findIndex((part) => typeof part === 'string');
    return this.parts
      .slice(0, end === -1 ? undefined : end)
      .map((part) => (part as { text: string }).text)
      .join('');
  }

  nameOf(stream: NamedStream): string {
    return this.parts.map((part) => (typeof part === 'string' ? stream[part] : part.text)).join('');
  }
}

function parse(text: string): (Place | { readonly text: string })[] {
  const parts: (Place | { readonly text: string })[] = [];
  let rest = text;
  while (rest !== '') {
    const match = /^(?:(\{\{|\}\})|\{(\w*)\}|([^{}]+))/.exec(rest);
    if (match === null) {
      throw new Error(`has a single brace in "${text}": double a brace that belongs to the name, {{ or }}`);
    }
    const [whole, brace, place, plain] = match;
    if (brace !== undefined) parts.push({ text: brace[0]! });
    else if (plain !== undefined) parts.push({ text: plain });
    else parts.push(placeOf(place!));
    rest = rest.slice(whole.length);
  }
  return parts;
}

function placeOf(name: string): Place {
  const place = PLACES.find((each) => each === name);
  if (place !== undefined) return place;
  throw new Error(`has the place {${name}}; there are ${PLACES.map((each) => `{${each}}`).join(', ')}`);
}
