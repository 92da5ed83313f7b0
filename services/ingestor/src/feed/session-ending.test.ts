import { describe, expect, it } from 'vitest';
import type { SessionEnding } from './session-ending.ts';
import { ending, remedyFor } from './session-ending.ts';

const by = (change: Partial<SessionEnding>): SessionEnding => ({ ...ending('error', ''), ...change });

describe('remedyFor', () => {
  it.each([
    ['OKX 4008', by({ code: 4008 }), 'fewer-topics'],
    ['OKX 4009', by({ code: 4009 }), 'fewer-topics'],
    ['Binance too many subscriptions', by({ code: 1008, detail: 'Too many subscriptions' }), 'fewer-topics'],
    ['said before the close', ending('too-many-topics', 'Too many subscriptions'), 'fewer-topics'],
    ['Binance too many requests', by({ code: 1008, detail: 'Too many requests' }), 'slower'],
    ['banned', by({ status: 418 }), 'pause-host'],
    ['limited', by({ status: 429 }), 'pause-host'],
    ['refused by a firewall', by({ status: 403 }), 'pause-host'],
    ['a server in trouble', by({ status: 503 }), 'backoff'],
    ['routine', by({ code: 1001 }), 'backoff'],
    ['no close frame', by({ code: 1006 }), 'backoff'],
  ])('%s', (_, end, remedy) => {
    expect(remedyFor(end)).toBe(remedy);
  });
});
