import { EXCHANGES } from '@tickline/schemas';
import { exchangeDefaults } from './exchange-defaults.ts';
import { environmentName, flagName, flatKeys, type Key } from './key.ts';
import { configurationKeys } from './keys.ts';
import { CONFIG_VARIABLE } from './settings.ts';

/** One key as people read about it; the keys of the exchanges are one, with a default for each. */
export interface DescribedKey {
  readonly path: string;
  readonly type: string;
  /** `required`, or the default; for exchanges that differ, one after another. */
  readonly fallback: string;
  readonly environment: string;
  /** Null: refused on the command line. */
  readonly flag: string | null;
  readonly doc: string;
}

/** Every key of the configuration, in its order. */
export function describeKeys(): DescribedKey[] {
  const flat = flatKeys(configurationKeys(exchangeDefaults));
  const described: DescribedKey[] = [];
  for (const [path, key] of flat) {
    const match = /^exchanges\.([^.]+)\.(.+)$/.exec(path);
    if (match === null) described.push(describe(path, key, fallbackText(key)));
    else if (match[1] === EXCHANGES[0]) described.push(describeExchangeKey(match[2]!, key, flat));
  }
  return described;
}

function describe(path: string, key: Key<unknown>, fallback: string, type = key.format.type): DescribedKey {
  return {
    path,
    type,
    fallback,
    environment: environmentName(path.replace('<exchange>', 'X')).replace('_X_', '_<EXCHANGE>_'),
    flag: key.secret ? null : flagName(path),
    doc: key.doc,
  };
}

function describeExchangeKey(
  name: string,
  key: Key<unknown>,
  flat: ReadonlyMap<string, Key<unknown>>,
): DescribedKey {
  const each = EXCHANGES.map((exchange) => [exchange, flat.get(`exchanges.${exchange}.${name}`)!] as const);
  return describe(
    `exchanges.<exchange>.${name}`,
    key,
    perExchange(each, fallbackText),
    perExchange(each, (one) => one.format.type),
  );
}

/** One text where all exchanges agree, else each with its own. */
function perExchange(
  each: readonly (readonly [string, Key<unknown>])[],
  text: (key: Key<unknown>) => string,
): string {
  const texts = each.map(([, key]) => text(key));
  if (new Set(texts).size === 1) return texts[0]!;
  return each.map(([exchange], at) => `${exchange} ${texts[at]}`).join('; ');
}

function fallbackText(key: Key<unknown>): string {
  return key.fallback === undefined ? 'required' : key.format.show(key.fallback);
}

const INTRODUCTION = `Settings come from YAML files, from the environment, and from the command line; the later wins.
  --config FILE   YAML file, or a folder of *.yaml; may be repeated, later ones win (${CONFIG_VARIABLE}: several, with colons between)
  --KEY=VALUE     one setting, such as --kafka.brokers=localhost:9092; lists with commas or as JSON
Exchanges: ${EXCHANGES.join(', ')}. In variables their dashes are underscores: TICKLINE_EXCHANGES_BYBIT_SPOT_SYMBOLS.`;

/** The part of `--help` that explains every key of the configuration. */
export function configHelp(): string {
  const keys = describeKeys().map(({ path, type, fallback, environment, flag, doc }) =>
    [
      `  ${path}`,
      `      ${doc}`,
      `      ${type}; ${fallback === 'required' ? 'required' : `default: ${fallback}`}`,
      `      ${environment}${flag === null ? '   (not on the command line)' : `   ${flag}`}`,
    ].join('\n'),
  );
  return `${INTRODUCTION}\n\nKeys:\n${keys.join('\n')}\n`;
}
