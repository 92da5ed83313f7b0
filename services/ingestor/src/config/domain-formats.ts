import { EXCHANGES, isExchangeName } from '@tickline/schemas';
import { type Format, misfit, nearestOf, quoted, textLike } from './format.ts';
import { isPattern } from './symbol-pattern.ts';

/** A unit's name: `exchange:symbol`. */
export function unitName(): Format<string> {
  return textLike('a unit, exchange:symbol', (value) => {
    const colon = value.indexOf(':');
    const exchange = colon < 0 ? value : value.slice(0, colon);
    const symbol = colon < 0 ? '' : value.slice(colon + 1);
    if (symbol === '' || isPattern(symbol)) {
      return misfit(`must be a unit such as binance:BTC-USDT, is ${quoted(value)}`);
    }
    if (!isExchangeName(exchange)) {
      const meant = nearestOf(exchange, EXCHANGES);
      return misfit(
        `must begin with an exchange (${EXCHANGES.join(', ')}), is ${quoted(value)}`,
        meant === null ? null : `${meant}:${symbol}`,
      );
    }
    const bad = badSymbol(symbol);
    return bad === null
      ? null
      : misfit(bad.problem, bad.nearest === null ? null : `${exchange}:${bad.nearest}`);
  });
}

/** A canonical symbol or a pattern of such. */
export function plainSymbol(): Format<string> {
  return textLike('a symbol such as BTC-USDT', (value) => (isPattern(value) ? null : badSymbol(value)));
}

/** Exchanges list symbols with letters of any script: only the form is judged. */
function badSymbol(value: string) {
  if (/^[^\s,/*-]+-[^\s,/*]+$/u.test(value)) return null;
  const parts = value
    .trim()
    .split(/[\s,/_-]+/u)
    .filter((part) => part !== '');
  return misfit(
    `must be a canonical symbol, base-quote such as BTC-USDT; is ${quoted(value)}`,
    parts.length === 2 ? parts.join('-') : null,
  );
}

/** host:port of a broker. */
export function address(): Format<string> {
  return textLike('host:port', (value) => {
    const match = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/@,[\]]+):(\d{1,5})$/.exec(value);
    if (match !== null && Number(match[1]) >= 1 && Number(match[1]) <= 65_535) return null;
    const host = /^(?:\w+:\/\/)?([^\s:/@,[\]]+)(?::(\d{1,5}))?\/?$/.exec(value);
    return misfit(
      `must be host:port, is ${quoted(value.includes('@') ? '…' : value)}`,
      host === null ? null : `${host[1]}:${host[2] ?? '9092'}`,
    );
  });
}

/**
 * An address of one of these schemes, its last one encrypted. Credentials in it are refused: an
 * address is logged. Trailing slashes are cut off, so that paths can be appended.
 */
export function url(...schemes: readonly [string, string]): Format<string> {
  const what = `an address, ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  const plain = textLike(what, (value) => {
    const parsed = URL.canParse(value) ? new URL(value) : null;
    if (parsed === null || parsed.host === '') {
      const bare = /^[\w.-]+(:\d+)?(\/.*)?$/.test(value);
      return misfit(
        `must be ${what}; is ${quoted(value.includes('@') ? '…' : value)}`,
        bare ? `${schemes[1]}://${value}` : null,
      );
    }
    if (parsed.username !== '' || parsed.password !== '') {
      return misfit('must not hold a user name or password: addresses are logged');
    }
    const scheme = parsed.protocol.slice(0, -1);
    if (!schemes.includes(scheme)) {
      const encrypted = scheme === 'https' || scheme === 'wss' || scheme === 'ssl';
      const meant = encrypted ? schemes[1] : (nearestOf(scheme, schemes) ?? schemes[1]);
      return misfit(
        `must begin with ${schemes.join(':// or ')}://; is ${quoted(value)}`,
        `${meant}://${value.slice(value.indexOf('://') + 3)}`,
      );
    }
    if (parsed.search !== '' || parsed.hash !== '') {
      return misfit(`must have no query or fragment; is ${quoted(value)}`, value.replace(/[?#].*$/, ''));
    }
    return null;
  });
  return {
    ...plain,
    read(value) {
      const read = plain.read(value);
      return typeof read === 'string' ? read.replace(/\/+$/, '') : read;
    },
  };
}

/** Kafka's own rule for topic names (org.apache.kafka.common.internals.Topic): 249 of letters, digits, `.`, `_`, `-`. */
export function topicPrefix(): Format<string> {
  return {
    ...textLike('text', () => null),
    type: 'letters, digits, . _ - (may be empty)',
    read(value) {
      if (typeof value === 'string' && /^[A-Za-z0-9._-]{0,200}$/.test(value)) return value;
      return misfit(
        `must be at most 200 letters, digits, '.', '_' or '-'; is ${quoted(value)}`,
        typeof value === 'string' ? value.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 200) : null,
      );
    },
  };
}

/** Whether a host is this machine itself, so that nothing of what is said to it leaves the machine. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}
