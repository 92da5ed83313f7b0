import type { PodStatus, SubscriptionStatus } from '@tickline/schemas';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/stack/free-port.ts';
import { openPage, seen, startBrowser, type WatchedPage } from './browser.ts';
import { faintTexts } from './contrast.ts';
import { examplePod, sink } from './example-pod.ts';
import { ScriptedPod } from './scripted-pod.ts';
import { type SidecarUnderTest, startTestSidecar } from './sidecar-under-test.ts';

/** Only ends a test that waits in vain. */
const WAIT = { timeout: 20_000 };
const PHONE = { width: 360, height: 740 };

let browser: Browser;
let pod: ScriptedPod;
let sidecars: SidecarUnderTest[];
let tabs: WatchedPage[];

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});
beforeEach(async () => {
  pod = new ScriptedPod(examplePod());
  await pod.start();
  sidecars = [];
  tabs = [];
});
afterEach(async () => {
  for (const { context } of tabs) await context.close();
  for (const sidecar of sidecars) await sidecar.stop();
  await pod.stop();
});

async function sidecar(...flags: string[]): Promise<string> {
  const started = await startTestSidecar(pod.url, ...flags);
  sidecars.push(started);
  return started.url;
}

async function open(url: string, options: Parameters<typeof openPage>[2] = {}): Promise<WatchedPage> {
  const tab = await openPage(browser, url, options);
  tabs.push(tab);
  return tab;
}

/** Waits until the head of the page says this. */
async function says(page: Page, title: RegExp): Promise<void> {
  await page.getByRole('status').filter({ hasText: title }).waitFor();
}

/** Texts of a row's cells by their columns. */
async function row(page: Page, table: string, name: string): Promise<Record<string, string>> {
  const cells = page
    .getByRole('table', { name: table })
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name, exact: true }) })
    .getByRole('cell');
  const texts: Record<string, string> = {};
  for (const cell of await cells.all()) {
    texts[(await cell.getAttribute('data-title')) ?? ''] = (await seen(cell)).replace(/\s+/g, ' ');
  }
  return texts;
}

/** Each value that a page shows comes within the next snapshot. */
async function shows(read: () => Promise<unknown>, wanted: unknown): Promise<void> {
  await expect.poll(read, WAIT).toEqual(wanted);
}

describe('a healthy pod', () => {
  it('is told in full, by requests to the sidecar only and within its policy', async () => {
    const url = await sidecar();
    const { page, requests, complaints } = await open(url);
    await says(page, /^The ingestor is up$/);
    expect(await seen(page.getByRole('heading', { level: 1 }))).toBe('Tickline shard 0 of 2');
    expect(await page.title()).toBe('Tickline shard 0 of 2');
    expect(await seen(page.locator('#facts'))).toContain('7f3c9a12');
    expect(await row(page, 'Exchanges of this pod', 'okx')).toMatchObject({
      'Latency p50': '22 ms',
      p99: '111 ms',
      Live: '262 of 262',
      Ticks: '1,997,400',
      Gaps: '2',
      Reconnects: '2',
    });
    expect(await row(page, 'Connections of this pod, by exchange', 'okx-0')).toMatchObject({
      State: '● open',
      'Open for': expect.stringMatching(/^14 min \d+ s$/),
      'Last data': expect.stringMatching(/^\d+ s$/),
      Live: '131',
      'Other subscriptions': 'none',
      Reconnects: '1 × silence',
      Session: 'ok0f09c7d',
    });
    expect(await row(page, 'Outputs of this pod', 'kafka')).toEqual({
      State: '● takes ticks',
      'Acknowledged after p50': '3.4 ms',
      p99: '12 ms',
      Queue: '88.9 KiB of 64.0 MiB',
      'Records queued': '412',
      Acknowledged: '9,987,001',
      Dropped: '0',
    });
    expect(await row(page, 'Subscriptions of this pod that are not live', 'LUNA-USD')).toMatchObject({
      Exchange: 'kraken',
      Channel: 'trades',
      State: '■ rejected',
      Why: 'Currency pair not supported LUNA/USD',
    });
    const meter = page.getByRole('meter', { name: 'Queue of kafka' });
    expect(await meter.getAttribute('aria-valuenow')).toBe('91000');
    expect(await meter.getAttribute('aria-valuetext')).toBe('88.9 KiB of 64.0 MiB');
    expect(await seen(page.locator('#link'))).toBe('Live');
    expect(requests.filter((each) => new URL(each).origin !== url)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('draws messages a second, and says them in words', async () => {
    const { page } = await open(await sidecar());
    const timer = setInterval(() => {
      for (const exchange of pod.status.exchanges) exchange.messages += 100;
    }, 50);
    try {
      const line = page.getByRole('img', { name: /^Messages a second over \d+ s: [\d,]+ at last, between/ });
      await expect.poll(() => line.count(), WAIT).toBe(4);
      const cell = await row(page, 'Exchanges of this pod', 'binance');
      expect(Number(cell['Messages/s']?.replaceAll(',', ''))).toBeGreaterThan(0);
      const path = page.locator('#exchanges path.line').first();
      await expect.poll(() => path.getAttribute('d'), WAIT).toMatch(/^M\S+ \S+L/);
    } finally {
      clearInterval(timer);
    }
  });
});

describe('the ingestor', () => {
  it('is told apart: killed, hung, restarted, each in words', async () => {
    const { page, complaints } = await open(await sidecar());
    await says(page, /^The ingestor is up$/);
    const state = async () => (await row(page, 'Connections of this pod, by exchange', 'okx-0')).State;

    pod.behaviour = 'hang';
    await says(page, /^The ingestor hangs: its process is there and does not answer$/);
    expect(await seen(page.locator('#detail'))).toMatch(
      /did not answer within 500 ms\. What is shown below is what it answered last\./,
    );
    await shows(state, '▲ not known, was open');

    pod.behaviour = 'answer';
    await says(page, /^The ingestor is up$/);
    await shows(state, '● open');

    await pod.stop();
    await says(page, /^The ingestor is unreachable: its process is gone$/);
    await shows(state, '▲ not known, was open');
    expect(await seen(page.locator('#outputs'))).toContain('not known');

    pod.status = { ...examplePod(), producer: 'another', pid: 99 };
    await pod.start();
    await says(page, /^The ingestor was restarted$/);
    expect(await seen(page.locator('#detail'))).toContain('(pid 99)');
    await shows(state, '● open');
    expect(await seen(page.locator('#facts'))).toMatch(/Restarts seen\s+1, last at \d\d:\d\d:\d\d/);

    const lines = await page.locator('#timeline').getByRole('listitem').allInnerTexts();
    expect(lines.map((line) => /The ingestor [a-z ]+/.exec(line)?.[0].trim())).toEqual([
      'The ingestor was restarted',
      'The ingestor is unreachable',
      'The ingestor is up',
      'The ingestor hangs',
      'The ingestor is up',
    ]);
    expect(complaints).toEqual([]);
  });

  it.each<[string, (status: PodStatus) => void, RegExp, RegExp]>([
    [
      'starts',
      (status) => Object.assign(status, { phase: 'starting', notReady: 'okx is not settled' }),
      /^The ingestor starts$/,
      /Okx is not settled\./,
    ],
    [
      'drains',
      (status) => Object.assign(status, { phase: 'draining' }),
      /^The ingestor drains: it was told to stop$/,
      /acknowledged/,
    ],
    [
      'waits for a listing',
      (status) => Object.assign(status.exchanges[1]!, { waitingFor: 'the listing: 503' }),
      /not every connection is open$/,
      /Bybit-spot waits for the listing: 503\./,
    ],
    [
      'can not produce',
      (status) => {
        status.sinks[0] = sink('kafka', { healthy: false, detail: 'no broker answers' });
      },
      /^The ingestor is up, but not every output takes ticks$/,
      /Kafka: no broker answers\./,
    ],
  ])('%s', async (_name, change, title, detail) => {
    change(pod.status);
    const { page } = await open(await sidecar());
    await says(page, title);
    expect(await seen(page.locator('#detail'))).toMatch(detail);
  });

  it('is told when it gives a bad answer', async () => {
    pod.behaviour = 'garbage';
    const { page } = await open(await sidecar());
    await says(page, /^The ingestor gives a bad answer$/);
    expect(await seen(page.locator('#exchanges'))).toContain('Nothing is known of any exchange yet.');
  });

  it('is read out when it changes, and not with each figure', async () => {
    const { page } = await open(await sidecar());
    await says(page, /^The ingestor is up$/);
    await page.evaluate(`
      window.changes = [];
      for (const region of document.querySelectorAll('[aria-live]')) {
        new MutationObserver(() => window.changes.push(region.textContent))
          .observe(region, { childList: true, characterData: true, subtree: true });
      }`);
    // Figures change all the time; of what is read out, nothing does.
    const age = page.locator('#facts dd').first();
    const before = await seen(age);
    await expect.poll(() => seen(age), WAIT).not.toBe(before);
    expect(await page.evaluate('window.changes')).toEqual([]);
    pod.behaviour = 'hang';
    await says(page, /hangs/);
    expect(await page.evaluate('window.changes')).toEqual([
      'The ingestor hangs: its process is there and does not answer',
    ]);
  });
});

describe('the timeline', () => {
  it('tells reconnects with their reasons', async () => {
    const { page } = await open(await sidecar());
    await says(page, /^The ingestor is up$/);
    const [connection] = pod.status.connections;
    Object.assign(connection!, { state: 'backing-off', session: null, reconnects: { 'idle 30 s': 1 } });
    await says(page, /not every connection is open/);
    const lines = page.locator('#timeline').getByRole('listitem');
    await shows(
      async () => (await seen(lines.first())).replace(/\s+/g, ' '),
      expect.stringMatching(/^\d\d:\d\d:\d\d ▲ reconnect binance-0 reconnects: idle 30 s$/),
    );
    Object.assign(connection!, { state: 'open', session: 'fresh' });
    await shows(async () => seen(lines.first()), expect.stringContaining('binance-0 is open, session fresh'));
    expect(await page.locator('#timeline time').first().getAttribute('datetime')).toMatch(/^\d{4}-.*Z$/);
  });
});

describe('what is not live', () => {
  it('is counted where it is too much to show', async () => {
    const one = pod.status.notLive[0]!;
    pod.status.notLive = Array.from(
      { length: 1_000 },
      (_, at): SubscriptionStatus => ({
        ...one,
        symbol: `COIN${at}-USD`,
      }),
    );
    const { page } = await open(await sidecar());
    const rows = page
      .getByRole('table', { name: 'Subscriptions of this pod that are not live' })
      .getByRole('row');
    await shows(() => rows.count(), 201);
    expect(await seen(page.locator('#not-live'))).toContain('And 800 more, listed in /status.');
    pod.status.notLive = [];
    await expect.poll(() => seen(page.locator('#not-live')), WAIT).toContain('Every subscription is live.');
  });
});

it('shows hostile texts as they are', async () => {
  const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>"\'&amp;';
  const { status } = pod;
  status.producer = hostile;
  status.assignment = hostile;
  status.notLive[0]!.symbol = hostile;
  status.notLive[0]!.reason = hostile;
  status.connections[0]!.connection = hostile;
  status.connections[0]!.session = hostile;
  status.connections[0]!.reconnects = { [hostile]: 1, __proto__: 1 };
  status.exchanges[0]!.waitingFor = hostile;
  status.sinks[0] = sink(hostile, { healthy: false, detail: hostile });
  const { page, complaints, requests } = await open(await sidecar());
  await says(page, /not every output/);
  status.connections[0]!.reconnects = { [hostile]: 2 };
  await shows(() => page.locator('#timeline').getByRole('listitem').count(), 2);
  const text = await seen(page.locator('main'));
  expect(text.split(hostile).length - 1).toBeGreaterThanOrEqual(8);
  expect(await page.locator('main img, main script').count()).toBe(0);
  expect([complaints, requests.filter((url) => url.endsWith('/x'))]).toEqual([[], []]);
});

describe('the fleet', () => {
  it('is this pod alone without peers', async () => {
    const { page } = await open(await sidecar());
    await says(page, /^The ingestor is up$/);
    expect(await seen(page.locator('#fleet'))).toContain('No peers are configured (peers.host)');
  });

  it('shows who owns how much, and pods that go', async () => {
    const other = new ScriptedPod(examplePod(1));
    await other.start();
    try {
      const second = await startTestSidecar(other.url);
      const peer = new URL(second.url).host;
      const { page, requests } = await open(await sidecar(`--peers.addresses=${peer}`));
      const map = 'Symbols that each shard owns, by exchange';
      await shows(() => row(page, map, '1'), {
        Pods: '● 1 pod',
        'binance (424)': '212',
        'bybit-spot (296)': '148',
        'okx (262)': '131',
        'kraken (128)': '64',
      });
      expect(await row(page, map, '0')).toMatchObject({ Pods: '● 1 pod' });
      expect(await row(page, 'Pods of the fleet', peer)).toMatchObject({
        Shard: '1 of 2',
        Sidecar: '● answers',
        Ingestor: '● up',
        Ready: 'yes',
        Assignment: '7f3c9a12',
        Producer: 'a1b2c3d4e5f1',
      });
      expect(await page.getByRole('list', { name: 'Problems of the fleet' }).count()).toBe(0);

      other.status.assignment = 'differs';
      const problems = page.getByRole('list', { name: 'Problems of the fleet' });
      await expect.poll(() => seen(problems), WAIT).toContain('Pods disagree about who owns what');

      other.behaviour = 'hang';
      await shows(
        async () => (await row(page, 'Pods of the fleet', peer)).Ingestor,
        expect.stringMatching(/^■ hangs/),
      );
      await expect.poll(() => seen(problems), WAIT).toContain('No pod that answers serves shard 1');

      await second.stop();
      await shows(
        async () => (await row(page, 'Pods of the fleet', peer)).Sidecar,
        expect.stringMatching(/^■ unreachable .*ECONNREFUSED.*, heard \d+ s ago$/),
      );
      // The page asks its own sidecar only; that one asks the others.
      expect(new Set(requests.map((url) => new URL(url).host)).size).toBe(1);
    } finally {
      await other.stop();
    }
  });
});

describe('a connection to the sidecar that is lost', () => {
  it('is told with the age of what is shown, and comes back by itself', async () => {
    const port = await freePort();
    const url = await sidecar(`--listen.port=${port}`);
    const { page } = await open(url);
    await says(page, /^The ingestor is up$/);
    await sidecars.pop()!.stop();
    const link = page.locator('#link');
    await expect
      .poll(() => seen(link), WAIT)
      .toMatch(/^Connection to the sidecar is lost: data is [1-9]\d* s old\. Trying again…$/);
    expect(await seen(page.locator('#announcement'))).toBe('Connection to the sidecar is lost');
    await sidecar(`--listen.port=${port}`);
    await expect.poll(() => seen(link), WAIT).toBe('Live');
    expect(await seen(page.locator('#announcement'))).toBe('');
  });
});

describe('the theme', () => {
  const ground = (page: Page) => page.evaluate('getComputedStyle(document.body).backgroundColor');

  it('is the system’s, until another is chosen, which is kept', async () => {
    const url = await sidecar();
    const { page } = await open(url, { colorScheme: 'light' });
    const light = await ground(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await ground(page);
    expect(dark).not.toBe(light);
    await page.getByLabel('Theme').selectOption('light');
    expect(await ground(page)).toBe(light);
    await page.reload();
    expect(await page.getByLabel('Theme').inputValue()).toBe('light');
    expect(await ground(page)).toBe(light);
  });

  it.each(['light', 'dark'] as const)(
    '%s: every text can be read, whatever the state',
    async (colorScheme) => {
      const port = await freePort();
      const url = await sidecar(`--listen.port=${port}`, '--peers.addresses=127.0.0.1:1');
      const { page } = await open(url, { colorScheme });
      await says(page, /^The ingestor is up$/);
      const judged = async () => {
        const { judged: count, faint } = await faintTexts(page);
        expect(faint).toEqual([]);
        return count;
      };
      expect(await judged()).toBeGreaterThan(150);
      pod.behaviour = 'hang';
      await says(page, /hangs/);
      await judged();
      pod.behaviour = 'answer';
      pod.status.phase = 'draining';
      await says(page, /drains/);
      await judged();
      await sidecars.pop()!.stop();
      await expect.poll(() => seen(page.locator('#link')), WAIT).toContain('lost');
      await judged();
      await page.setViewportSize(PHONE);
      expect(await judged()).toBeGreaterThan(150);
    },
  );
});

describe('on a phone', () => {
  it('needs no scrolling sideways, even with long names, and keeps its tables', async () => {
    pod.status.notLive[0]!.reason = 'a-reason-without-any-space-'.repeat(20);
    pod.status.sinks[0] = sink('kafka', { healthy: false, detail: 'b'.repeat(300) });
    pod.status.connections[0]!.session = 'c'.repeat(100);
    const { page } = await open(await sidecar('--peers.addresses=127.0.0.1:1'), {
      viewport: PHONE,
      isMobile: true,
      hasTouch: true,
    });
    const width = () => page.evaluate('[document.documentElement.scrollWidth, window.innerWidth]');
    await says(page, /not every output/);
    await expect.poll(() => seen(page.locator('#fleet')), WAIT).toContain('ECONNREFUSED');
    expect(await width()).toEqual([360, 360]);
    // No column heads any more: each figure has its own.
    expect(await row(page, 'Connections of this pod, by exchange', 'okx-1')).toMatchObject({
      State: '● open',
    });
    expect(
      await page.evaluate("getComputedStyle(document.querySelector('#connections td'), '::before').content"),
    ).toBe('"State"');
    pod.behaviour = 'hang';
    await says(page, /hangs/);
    expect(await width()).toEqual([360, 360]);
  });
});

describe('by keyboard and screen reader', () => {
  it('can be walked: the skip link first, then every control in order, each with a visible focus', async () => {
    const { page } = await open(await sidecar());
    await says(page, /^The ingestor is up$/);
    const focused = () =>
      page.evaluate<{ name: string; outline: string }>(`(() => {
        const { activeElement } = document;
        const style = getComputedStyle(activeElement);
        const name = activeElement.labels?.[0]?.textContent ?? activeElement.textContent;
        return { name: name.trim(), outline: style.outlineStyle + ' ' + style.outlineWidth };
      })()`);
    const walked: string[] = [];
    for (let step = 0; step < 12; step++) {
      await page.keyboard.press('Tab');
      const { name, outline } = await focused();
      expect(outline).toBe('solid 3px');
      walked.push(name);
    }
    expect(walked).toEqual([
      'Skip to the status',
      'Theme',
      'Exchanges',
      'Outputs',
      'Connections',
      'Not live',
      'Timeline',
      'Fleet',
      'Log',
      'Level',
      'For',
      'Change',
    ]);
    await page.locator('.skip').focus();
    expect(await page.locator('.skip').boundingBox()).toMatchObject({ y: 8 });
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('Tab');
    expect((await focused()).name).toBe('Level');
  });

  it('has landmarks, headings in order, captions, and words for every drawing and field', async () => {
    const { page } = await open(await sidecar());
    await says(page, /^The ingestor is up$/);
    expect(await page.getByRole('banner').count()).toBe(1);
    expect(await page.getByRole('main').count()).toBe(1);
    expect(await page.getByRole('navigation', { name: 'Sections' }).count()).toBe(1);
    for (const name of [
      'State of the ingestor',
      'Exchanges',
      'Outputs',
      'Connections',
      'Not live',
      'Timeline',
      'Fleet',
      'Log',
    ]) {
      expect(await page.getByRole('region', { name, exact: true }).count()).toBe(1);
    }
    const levels = await page.evaluate<number[]>(
      "[...document.querySelectorAll('h1, h2, h3')].map(({ localName }) => Number(localName[1]))",
    );
    expect(levels[0]).toBe(1);
    for (const [at, level] of levels.entries())
      expect(level - (levels[at - 1] ?? level)).toBeLessThanOrEqual(1);
    for (const table of await page.getByRole('table').all()) {
      expect((await seen(table.locator('caption'))).length).toBeGreaterThan(5);
      expect(await table.getByRole('columnheader').count()).toBeGreaterThan(1);
    }
    expect(
      await page.evaluate(`[...document.querySelectorAll('svg')].filter((drawing) =>
        drawing.closest('[aria-hidden=true]') === null && !drawing.getAttribute('aria-label')).length`),
    ).toBe(0);
    expect(
      await page.evaluate(
        "[...document.querySelectorAll('select, input')].filter(({ labels }) => labels.length === 0).length",
      ),
    ).toBe(0);
    expect(await page.evaluate('document.documentElement.lang')).toBe('en');
  });

  it('moves nothing for those who want it so', async () => {
    const { page } = await open(await sidecar());
    const motion = 'getComputedStyle(document.documentElement).scrollBehavior';
    expect(await page.evaluate(motion)).toBe('auto');
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    expect(await page.evaluate(motion)).toBe('smooth');
  });
});

describe('the log level', () => {
  it('is changed by the form, in sidecar and ingestor', async () => {
    const { page } = await open(await sidecar());
    await says(page, /^The ingestor is up$/);
    await page.getByLabel('Level').selectOption('debug');
    await page.getByLabel('For', { exact: true }).selectOption('1 hour');
    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByText('Changed to debug, sidecar and ingestor.').waitFor();
    expect(pod.levels).toEqual(['?level=debug&for=1h']);
    await expect
      .poll(() => seen(page.locator('#log-now')), WAIT)
      .toMatch(/^The sidecar logs at level debug until \d\d/);
    await pod.stop();
    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByText("but not the ingestor's. The ingestor does not answer.").waitFor();
  });
});
