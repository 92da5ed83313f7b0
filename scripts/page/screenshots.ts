/**
 * Makes the pictures of docs/status-page.md: a real sidecar, asked by a real Chromium, in front of scripted pods.
 *
 *   node scripts/page/screenshots.ts
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openPage, startBrowser } from '../../test/page/browser.ts';
import { examplePod } from '../../test/page/example-pod.ts';
import { ScriptedPod } from '../../test/page/scripted-pod.ts';
import { startTestSidecar } from '../../test/page/sidecar-under-test.ts';
import { repositoryRoot } from '../stack/paths.ts';

const FOLDER = join(repositoryRoot, 'docs', 'images');
/** A picture in the repository is no larger. */
const LARGEST = 300 * 1024;
/** Long enough for lines that look like lines. */
const MARKET_MS = 45_000;
const SHARDS = 3;

const pods = Array.from({ length: SHARDS }, (_, index) => new ScriptedPod(examplePod(index, SHARDS)));
for (const pod of pods) await pod.start();
// The peers first: the first pod's sidecar is told where they are.
const peers = await Promise.all(pods.slice(1).map((pod) => startTestSidecar(pod.url)));
const sidecar = await startTestSidecar(
  pods[0]!.url,
  `--peers.addresses=${peers.map(({ url }) => new URL(url).host).join(',')}`,
);
const market = setInterval(() => {
  const now = Date.now();
  for (const pod of pods) {
    for (const [place, exchange] of pod.status.exchanges.entries()) {
      const wave = 1 + 0.35 * Math.sin(now / 5_000 + place) + 0.3 * Math.random();
      const messages = Math.round((180 * wave) / (place + 1));
      exchange.messages += messages;
      exchange.ticks += messages;
    }
    for (const connection of pod.status.connections) connection.lastDataAt = now - 40;
  }
}, 100);
const browser = await startBrowser();

/** Runs one connection through a reconnect. */
async function reconnect(reason: string): Promise<void> {
  const connection = pods[0]!.status.connections.find((each) => each.connection === 'okx-1')!;
  connection.state = 'backing-off';
  connection.reconnects = { ...connection.reconnects, [reason]: (connection.reconnects[reason] ?? 0) + 1 };
  await delay(1_500);
  Object.assign(connection, { state: 'open', session: `ok1${reason.length}b7e0c4`, openedAt: Date.now() });
}

async function picture(page: Page, name: string, clip: string | null): Promise<void> {
  const path = join(FOLDER, `${name}.png`);
  if (clip === null) {
    await page.evaluate('scrollTo(0, 0)');
    await page.screenshot({ path });
  } else await page.locator(clip).screenshot({ path });
  const { size } = statSync(path);
  if (size > LARGEST) throw new Error(`${path} has ${size} bytes, more than ${LARGEST}`);
  process.stdout.write(`${path}: ${Math.round(size / 1024)} KiB\n`);
}

try {
  mkdirSync(FOLDER, { recursive: true });
  const wide = await openPage(browser, sidecar.url, {
    viewport: { width: 1280, height: 1000 },
    colorScheme: 'light',
  });
  await delay(MARKET_MS / 3);
  await reconnect('transport silence');
  await delay(MARKET_MS / 3);
  await reconnect('closed by the exchange: 1001');
  await delay(MARKET_MS / 3);
  await picture(wide.page, 'status-page-light', null);
  await picture(wide.page, 'status-page-timeline', '#timeline');
  await wide.page.emulateMedia({ colorScheme: 'dark' });
  await picture(wide.page, 'status-page-dark', null);

  pods[2]!.behaviour = 'hang';
  await wide.page.getByRole('list', { name: 'Problems of the fleet' }).waitFor();
  await wide.page.emulateMedia({ colorScheme: 'light' });
  await picture(wide.page, 'status-page-fleet', '#fleet');

  const phone = await openPage(browser, sidecar.url, {
    viewport: { width: 360, height: 740 },
    deviceScaleFactor: 2,
    isMobile: true,
    colorScheme: 'dark',
  });
  pods[0]!.behaviour = 'hang';
  await phone.page.getByRole('status').filter({ hasText: 'hangs' }).waitFor();
  await picture(phone.page, 'status-page-phone', null);
} finally {
  clearInterval(market);
  await browser.close();
  for (const each of [sidecar, ...peers]) await each.stop();
  for (const pod of pods) await pod.stop();
}
