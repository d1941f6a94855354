import type { Page } from 'playwright-core';
import { ask, hydrated, KEY, photograph, Stage } from './support/page.ts';
import { Wire } from './support/wire.ts';

const stage = new Stage();
let page: Page | undefined;

beforeAll(() => stage.open());
afterEach(async () => {
  await page?.context().close();
  expect(stage.complaints.splice(0)).toEqual([]);
});
afterAll(() => stage.close());

const answered = async (page: Page, text: string): Promise<void> => {
  const exchange = await stage.upstream.asked();
  expect(exchange.headers.authorization).toBe(`Bearer ${KEY}`);
  exchange.text(text);
  exchange.end();
  await page.getByText('27 tokens').waitFor();
};

describe('the key', () => {
  let wire: Wire;

  beforeEach(async () => {
    wire = await Wire.to(stage.url);
  });

  /** All that the browser has received, once it has received all. */
  const received = async (): Promise<string> => {
    await page?.context().close();
    await wire.close();
    return wire.received;
  };

  it('never reaches the browser', async () => {
    page = await stage.page(`${wire.url}/extract`);
    await page.getByRole('link', { name: 'Chat' }).click();
    await ask(page, 'Hello');
    await answered(page, 'Hi');
    const all = await received();
    expect(all).toContain('data: [DONE]');
    expect(all).toContain('<app-root');
    expect(all).toContain('From text to a form');
    expect(all).not.toContain(KEY.slice(3, 20));
  });

  it('does not either when the server upstream quotes it', async () => {
    page = await stage.page(wire.url);
    await ask(page, 'Hello');
    const exchange = await stage.upstream.asked();
    exchange.fail(401, `Incorrect API key provided: ${KEY}`);
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    const all = await received();
    expect(all).toContain('{"error":');
    expect(all).not.toContain(KEY.slice(3, 20));
    // The browser's own word on a status.
    expect(stage.complaints.splice(0)).toEqual([expect.stringContaining('the server responded with a status of 502')]);
  });
});

describe('on a server', () => {
  it('is rendered, with what a reader sees first, and asks nothing', async () => {
    const before = stage.upstream.requests;
    const response = await fetch(stage.url);
    const html = await response.text();
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(html).toContain('What would you like to know?');
    expect(html).toContain('ng-server-context="ssr"');
    expect(await (await fetch(`${stage.url}/extract`)).text()).toContain('From text to a form');
    expect(stage.upstream.requests).toBe(before);
  });

  it('is read without scripts', async () => {
    page = await stage.blankPage({ javaScriptEnabled: false });
    await page.goto(stage.url);
    expect(await page.locator('.title').textContent()).toBe('What would you like to know?');
  });

  it('is hydrated, not made anew, and works then', async () => {
    page = await stage.blankPage();
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/*.js', async (route) => {
      await released;
      await route.continue();
    });
    await page.goto(stage.url, { waitUntil: 'commit' });
    await page.locator('.title').evaluate((title) => title.setAttribute('data-of', 'the server'));
    release();
    await hydrated(page);
    await page.getByRole('button', { name: 'Dark' }).click();
    await page.locator('[data-theme]').waitFor();
    expect(await page.locator('.title').getAttribute('data-of')).toBe('the server');
    await page.getByRole('button', { name: 'What does switchMap do?' }).click();
    await answered(page, 'It switches.');
    expect(stage.complaints).toEqual([]);
  });
});

it('says that it is offline, and asks again when it is not', async () => {
  page = await stage.page();
  await page.context().setOffline(true);
  await page.getByText('You are offline').waitFor();
  expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
  await page.locator('#question').fill('Hello');
  await page.locator('#question').press('Enter');
  expect(await page.locator('article').count()).toBe(0);
  await photograph(page, 'offline');
  await page.context().setOffline(false);
  await page.getByText('You are offline').waitFor({ state: 'detached' });
  await page.locator('#question').press('Enter');
  await answered(page, 'Hi');
});

it('keeps the text when the network goes in mid-answer', async () => {
  page = await stage.page();
  await ask(page, 'Hello');
  const exchange = await stage.upstream.asked();
  exchange.text('Half of it');
  await page.locator('app-assistant-message', { hasText: 'Half of it' }).waitFor();
  exchange.tear();
  await page.context().setOffline(true);
  await page.getByRole('alert').first().waitFor();
  expect(await page.locator('app-assistant-message').textContent()).toContain('Half of it');
  const again = page.getByRole('button', { name: 'Try again' });
  expect(await again.isDisabled()).toBe(true);
  await page.context().setOffline(false);
  await again.click();
  await answered(page, 'All of it');
});

it('is dark when the system is, or when that is chosen, and stays so', async () => {
  const background = (page: Page): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.body.parentElement!).backgroundColor);
  page = await stage.page('/', { colorScheme: 'dark' });
  const dark = await background(page);
  await page.getByRole('button', { name: 'Dark' }).click();
  await page.locator('[data-theme=light]').waitFor();
  const light = await background(page);
  expect(light).not.toBe(dark);
  await page.reload();
  await page.locator('[data-theme=light]').waitFor();
  expect(await background(page)).toBe(light);
});
