import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPage, seen, startBrowser, type WatchedPage } from './browser.ts';
import { faintTexts } from './contrast.ts';
import { examplePod } from './example-pod.ts';
import { ScriptedPod } from './scripted-pod.ts';
import { type SidecarUnderTest, startTestSidecar } from './sidecar-under-test.ts';

const TOKEN = 'planted-secret-0123456789';

let folder: string;
let browser: Browser;
let pod: ScriptedPod;
let sidecar: SidecarUnderTest;
let tab: WatchedPage;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-login-'));
  writeFileSync(join(folder, 'token'), TOKEN);
  pod = new ScriptedPod(examplePod());
  await pod.start();
  sidecar = await startTestSidecar(pod.url, `--auth.tokenFile=${join(folder, 'token')}`);
  browser = await startBrowser();
  tab = await openPage(browser, sidecar.url);
});
afterAll(async () => {
  await browser.close();
  await sidecar.stop();
  await pod.stop();
  rmSync(folder, { recursive: true });
});

/** Refusals are answers with status 4xx, which a browser notes on its console. */
const complaints = () => tab.complaints.filter((text) => !/status of 4\d\d/.test(text));

// One story: each step begins where the one before ended.
describe('a page behind a token', () => {
  it('leads to the form, which can be read', async () => {
    const { page, requests } = tab;
    expect(new URL(page.url()).pathname).toBe('/login');
    expect(await seen(page.getByRole('heading', { level: 1 }))).toBe('Tickline');
    expect(await page.content()).not.toContain('7f3c9a12');
    expect(requests.map((url) => new URL(url).pathname).sort()).toEqual([
      '/',
      '/login',
      '/page.css',
      '/theme.js',
    ]);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const { judged, faint } = await faintTexts(page);
      expect(faint).toEqual([]);
      expect(judged).toBeGreaterThan(3);
    }
  });

  it('refuses a wrong token', async () => {
    const { page, context } = tab;
    await page.getByLabel('Token').fill('a-wrong-token-0123456789');
    await page.getByRole('button', { name: 'Log in' }).click();
    expect(await seen(page.getByRole('alert'))).toBe('This token is not right.');
    expect(await context.cookies()).toEqual([]);
  });

  it('opens with the right one', async () => {
    const { page, context } = tab;
    await page.getByLabel('Token').fill(TOKEN);
    await page.keyboard.press('Enter');
    await page
      .getByRole('status')
      .filter({ hasText: /^The ingestor is up$/ })
      .waitFor();
    expect(await context.cookies()).toEqual([
      expect.objectContaining({
        name: 'tickline_session',
        httpOnly: true,
        sameSite: 'Strict',
        secure: false,
      }),
    ]);
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.getByLabel('For', { exact: true }).selectOption('until it is changed again');
    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByText('Changed to info, sidecar and ingestor.').waitFor();
  });

  it('is no help to pages of other sites', async () => {
    // Another port is another origin, but the same site: the strictest cookie is sent along, and refused.
    const foreign = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`<form method="post" action="${sidecar.url}/logout"><button>Go</button></form>`);
    });
    await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
    try {
      const page = await tab.context.newPage();
      await page.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}`);
      const answer = page.waitForResponse(`${sidecar.url}/logout`);
      await page.getByRole('button').click();
      expect((await answer).status()).toBe(403);
      expect(await (await answer).request().headerValue('cookie')).toContain('tickline_session=');
      await page.close();
      expect(await tab.context.cookies()).toHaveLength(1);
    } finally {
      foreign.closeAllConnections();
      await new Promise((resolve) => foreign.close(resolve));
    }
  });

  it('ends with the token: when that is replaced, the page leads back to the form', async () => {
    const { page } = tab;
    writeFileSync(join(folder, 'token'), 'another-token-0123456789');
    await page.waitForURL(/\/login$/, { timeout: 40_000 });
    await page.getByLabel('Token').fill('another-token-0123456789');
    await page.keyboard.press('Enter');
    await page
      .getByRole('status')
      .filter({ hasText: /^The ingestor is up$/ })
      .waitFor();
  });

  it('can be left', async () => {
    const { page, context } = tab;
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL(/\/login$/);
    expect(await context.cookies()).toEqual([]);
    await page.goto(sidecar.url);
    expect(new URL(page.url()).pathname).toBe('/login');
  });

  it('has broken no rule on the way, and told nobody the token', () => {
    expect(complaints()).toEqual([]);
    expect(sidecar.log()).not.toContain(TOKEN);
    expect(tab.requests.filter((url) => url.includes(TOKEN))).toEqual([]);
    expect(tab.requests.filter((url) => new URL(url).origin !== sidecar.url)).toEqual([]);
  });
});
