import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';

const NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];

/** Starts the machine's own Chromium without a window. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    // Chromium's sandbox refuses to run as root (crbug.com/638180).
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}

function findChromium(): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not here.
      }
    }
  }
  throw new Error(`none of ${NAMES.join(', ')} is on the PATH: run \`node scripts/setup.ts tests\``);
}

// Runs in the page; as a text, because these tests are not compiled for a browser.
const TELL_VIOLATIONS = `
  document.addEventListener('securitypolicyviolation', (event) =>
    console.error('policy: ' + event.violatedDirective + ' forbids ' + event.blockedURI));
`;

/** A tab that notes whatever a well-behaved page does not do. */
export interface WatchedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Addresses of all requests. */
  readonly requests: string[];
  /** Errors in scripts, on the console, and violations of the content security policy. */
  readonly complaints: string[];
}

/** Opens a tab in a context of its own, and leads it to the address. */
export async function openPage(
  browser: Browser,
  url: string,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  await page.addInitScript(TELL_VIOLATIONS);
  await page.goto(url);
  return { page, context, requests, complaints };
}

/** The text of an element as people see it: what is hidden is not in it, and lines are lines. */
export async function seen(element: Locator): Promise<string> {
  return (await element.allInnerTexts()).join('');
}
