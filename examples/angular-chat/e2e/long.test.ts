import type { Page } from 'playwright-core';
import { ask, photograph, Stage } from './support/page.ts';

const stage = new Stage();
let page: Page;

beforeAll(() => stage.open());
afterEach(async () => {
  await page.context().close();
  expect(stage.complaints.splice(0)).toEqual([]);
});
afterAll(() => stage.close());

const CHUNKS = 5000;
const PIECES = Array.from(
  { length: CHUNKS },
  (_, n) => `word${String(n)} of a *river* that goes on and on${n % 40 === 39 ? '.\n\n' : ', '}`,
);

/** Counts tasks of the page's thread that take over 50 ms: what a user feels as a stutter. */
async function countLongTasks(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const counted = window as unknown as { longTasks: number };
    counted.longTasks = 0;
    new PerformanceObserver((list) => (counted.longTasks += list.getEntries().length)).observe({ type: 'longtask' });
  });
  return () => page.evaluate(() => (window as unknown as { longTasks: number }).longTasks);
}

/** How many chunks the test sends before it looks at the page: small enough that each lot is rendered by itself. */
const LOT = 100;

/**
 * Tasks over 50 ms. One was counted here (the end, when all of the text is handed to screen readers), and one for nearly each of the 50
 * lots in a page that reads all of the text anew each time. A busy machine stretches a task now and then.
 */
const MOST_LONG_TASKS = 10;

it(`stays responsive while ${String(CHUNKS)} chunks arrive as fast as it shows them`, async () => {
  page = await stage.page();
  // Code that is loaded with the first question is none of the answer's.
  await ask(page, 'Hello');
  const first = await stage.upstream.asked();
  first.text('Hi');
  first.end();
  await page.getByText('27 tokens').waitFor();

  const longTasks = await countLongTasks(page);
  await ask(page, 'Write something long');
  const exchange = await stage.upstream.asked();
  exchange.text('It begins. ');
  for (let sent = 0; sent < CHUNKS; sent += LOT) {
    await exchange.texts(PIECES.slice(sent, sent + LOT));
    await page.waitForFunction(
      (word) =>
        [...document.querySelectorAll('app-markdown > div')].slice(-2).some((it) => it.textContent.includes(word)),
      `word${String(sent + LOT - 1)} `,
    );
  }
  // In mid-answer the page takes what is typed.
  await page.locator('#question').fill('typed meanwhile');
  exchange.end();
  await page.locator('app-assistant-message').last().getByText('27 tokens').waitFor();
  expect(await page.locator('#question').inputValue()).toBe('typed meanwhile');
  const text = (await page.locator('app-assistant-message').last().locator('app-markdown').innerText()).replace(
    /\s+/g,
    ' ',
  );
  expect(text.trim()).toBe(`It begins. ${PIECES.join('').replaceAll('*', '').replace(/\s+/g, ' ')}`.trim());
  expect(await longTasks()).toBeLessThanOrEqual(MOST_LONG_TASKS);
  await photograph(page, 'long');
});

it('keeps the end in view, unless the reader has gone up to read', async () => {
  page = await stage.page();
  await ask(page, 'Write something long');
  const exchange = await stage.upstream.asked();
  exchange.text('It begins. ');
  await exchange.texts(PIECES.slice(0, 2000));
  await page.getByText('word1999').waitFor();
  const log = page.locator('[role=log]');
  const fromEnd = (): Promise<number> =>
    log.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
  await page.waitForFunction(() => {
    const element = document.querySelector('[role=log]')!;
    return element.scrollHeight - element.scrollTop - element.clientHeight < 2;
  });
  await log.evaluate((element) => element.scrollTo(0, 0));
  await page.waitForFunction(() => document.querySelector('[role=log]')!.scrollTop === 0);
  exchange.text('more ');
  await exchange.texts(PIECES.slice(0, 400));
  exchange.text('the very end');
  exchange.end();
  await page.getByText('27 tokens').waitFor();
  expect(await fromEnd()).toBeGreaterThan(100);
  expect(await log.evaluate((element) => element.scrollTop)).toBe(0);
  await photograph(page, 'gone-up');
  await page.getByRole('button', { name: 'To the end' }).click();
  await page.waitForFunction(() => {
    const element = document.querySelector('[role=log]')!;
    return element.scrollHeight - element.scrollTop - element.clientHeight < 2;
  });
  expect(await page.getByRole('button', { name: 'To the end' }).count()).toBe(0);
});
