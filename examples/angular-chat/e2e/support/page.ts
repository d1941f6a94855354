import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launch } from './browser.ts';
import { Upstream } from './upstream.ts';

const EXAMPLE = fileURLToPath(new URL('../../', import.meta.url));
const SCREENSHOTS = `${EXAMPLE}screenshots/`;

/** The key of the relay, which no page may see. */
export const KEY = 'sk-e2e-0123456789abcdef0123456789abcdef';

/** The site as it is served, with a browser before it and a server of the test's behind it. */
export class Stage {
  readonly upstream = new Upstream();
  /** What any page has printed to its console, or thrown. */
  readonly complaints: string[] = [];
  url = '';
  #browser: Browser | undefined;
  #site: ChildProcess | undefined;

  async open(): Promise<void> {
    const baseURL = await this.upstream.start();
    const site = spawn(process.execPath, ['server/main.ts'], {
      cwd: EXAMPLE,
      env: { PORT: '0', OPENAI_API_KEY: KEY, OPENAI_BASE_URL: baseURL },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#site = site;
    this.url = await addressIn(site);
    this.#browser = await launch();
  }

  /** A page of a browser that knows nothing yet, ready to be used. */
  async page(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.blankPage(options);
    await page.goto(new URL(path, this.url).href);
    await hydrated(page);
    return page;
  }

  async blankPage(options: BrowserContextOptions = {}): Promise<Page> {
    this.upstream.forget();
    const context = await this.#browser!.newContext({ viewport: { width: 1100, height: 760 }, ...options });
    const page = await context.newPage();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.complaints.push(`thrown: ${error.message}`));
    return page;
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    this.#site?.kill();
    await this.upstream.stop();
  }
}

/** Until then events are kept and replayed, but what the browser itself does with a key is done. */
export async function hydrated(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('[ngh], [jsaction]') === null);
}

/** Shows a state to whoever looks: an artefact, not an assertion. */
export async function photograph(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png` });
}

/** Asks as a user does. */
export async function ask(page: Page, question: string): Promise<void> {
  await page.locator('#question').fill(question);
  await page.keyboard.press('Enter');
}

function addressIn(site: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: site.stdout! }).on('line', (line) => {
      const url = /http:\/\/\S+/.exec(line)?.[0];
      if (url !== undefined) resolve(url);
    });
    site.once('exit', (code) => {
      reject(new Error(`the site ended with code ${String(code)}`));
    });
  });
}
