import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { ask, photograph, Stage } from './support/page.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PHONE = { width: 360, height: 740 };

const stage = new Stage();
let page: Page;

beforeAll(() => stage.open());
afterEach(async () => {
  await page.context().close();
  expect(stage.complaints.splice(0)).toEqual([]);
});
afterAll(() => stage.close());

/** Every violation that axe finds, one line each. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    interface Axe {
      run(): Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }>;
    }
    const { violations } = await (window as unknown as { axe: Axe }).axe.run();
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

/** What there is to see at once, and how far it reaches beyond the window. */
async function check(name: string): Promise<void> {
  await photograph(page, name);
  expect(await violations(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
}

const LOOKS: [string, BrowserContextOptions][] = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: PHONE, colorScheme: 'light' }],
  ['phone-dark', { viewport: PHONE, colorScheme: 'dark' }],
];

describe.each(LOOKS)('%s', (look, options) => {
  it('has no violation in a chat: empty, waiting, answered, asking for approval, broken', async () => {
    page = await stage.page('/', options);
    // The welcome begins at its beginning, on a phone too.
    expect(await page.locator('[role=log]').evaluate((log) => log.scrollTop)).toBe(0);
    await check(`${look}-empty`);
    await ask(page, 'What is a river?');
    const first = await stage.upstream.asked();
    await page.locator('.waiting').waitFor();
    await check(`${look}-waiting`);
    first.text(
      '## A river\n\nIs *rain* with `patience`.\n\n```ts\nconst aVeryLongLine = river$.pipe(share(), map(String), tap(console.log));\n```\n\n',
    );
    first.text(
      '| what | how |\n| --- | --- |\n| bend | for each stone |\n\n> It goes where it goes.\n\n1. one\n2. two\n',
    );
    first.end();
    await page.getByText('27 tokens').waitFor();
    await check(`${look}-answered`);
    await ask(page, 'And the weather there?');
    const second = await stage.upstream.asked();
    second.toolCall('weather', { city: 'Oslo' });
    second.end('tool_calls');
    await page.getByRole('button', { name: 'Allow' }).waitFor();
    await check(`${look}-approval`);
    await page.getByRole('button', { name: 'Allow' }).click();
    const third = await stage.upstream.asked();
    third.text('It is cold');
    await page.locator('app-assistant-message', { hasText: 'It is cold' }).waitFor();
    third.tear();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await check(`${look}-broken`);
    await page.getByRole('button', { name: 'Edit the question: And' }).click();
    await check(`${look}-editing`);
    await page.context().setOffline(true);
    await page.getByText('You are offline').waitFor();
    await check(`${look}-offline`);
  });

  it('has no violation in the form', async () => {
    page = await stage.page('/extract', options);
    await check(`${look}-form`);
    await page.getByRole('button', { name: 'Extract' }).click();
    const exchange = await stage.upstream.asked();
    exchange.text('{"title":"Launch","when":"Tuesday","people":[{"name":"Ada","brings":"it all"}]}');
    exchange.end();
    await page.getByText('Done').waitFor();
    await check(`${look}-form-done`);
  });
});

it('tells a screen reader that the answer comes, and the answer when it is there', async () => {
  page = await stage.page();
  const status = page.locator('.hidden[role=status]');
  expect(await status.getAttribute('aria-live')).toBe('polite');
  await ask(page, 'Hello');
  const exchange = await stage.upstream.asked();
  exchange.text('Good');
  await page.locator('app-assistant-message', { hasText: 'Good' }).waitFor();
  expect(await status.textContent()).toBe('The answer is coming');
  exchange.text(' day');
  exchange.end();
  await status.filter({ hasText: 'Answer: Good day' }).waitFor();
});

it('is used by the keyboard alone', async () => {
  page = await stage.page();
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
  // The conversation, four suggestions, the question.
  for (let i = 0; i < 2; i++) await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toContain('What does switchMap do?');
  await page.keyboard.press('Enter');
  const exchange = await stage.upstream.asked();
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('question');
  await page.keyboard.press('Escape');
  await exchange.closed;
  expect(exchange.wasAborted).toBe(true);
});

it('leaves the keyboard where it was when what it was on is gone', async () => {
  page = await stage.page();
  const focused = (): Promise<string | null> =>
    page.evaluate(() => document.activeElement!.getAttribute('aria-label') ?? document.activeElement!.textContent);
  const press = async (name: string): Promise<void> => {
    await page.getByRole('button', { name }).focus();
    await page.keyboard.press('Enter');
  };
  await ask(page, 'Hello');
  const first = await stage.upstream.asked();
  await press('Stop');
  await first.closed;
  await page.getByText('Stopped').waitFor();
  expect(await focused()).toBe('Conversation');
  await press('Regenerate');
  const second = await stage.upstream.asked();
  expect(await focused()).toBe('Conversation');
  // From there, too.
  await page.keyboard.press('Escape');
  await second.closed;
  await press('Edit');
  await page.getByLabel('Your question, edited').waitFor();
  await page.keyboard.press('Escape');
  await page.getByLabel('Your question, edited').waitFor({ state: 'detached' });
  expect(await focused()).toContain('Edit');
});
