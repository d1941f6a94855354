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
const PIECES = Array.from({ length: CHUNKS }, (_, n) =>
  n % 40 === 39 ? `word${String(n)}.\n\n` : `word${String(n)} `,
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

it(`stays responsive while ${String(CHUNKS)} chunks arrive as fast as they can`, async () => {
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
  await exchange.texts(PIECES);
  // In mid-answer the page takes what is typed.
  await page.locator('#question').fill('typed meanwhile');
  exchange.end();
  await page.locator('app-assistant-message').last().getByText('27 tokens').waitFor();
  expect(await page.locator('#question').inputValue()).toBe('typed meanwhile');
  const text = (await page.locator('app-assistant-message').last().locator('app-markdown').innerText()).replace(
    /\s+/g,
    ' ',
  );
  expect(text.trim()).toBe(`It begins. ${PIECES.join('').replace(/\s+/g, ' ')}`.trim());
  // A busy machine may stretch a task now and then; a page that renders each chunk, or all of the text each time, has hundreds.
  expect(await longTasks()).toBeLessThanOrEqual(10);
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
