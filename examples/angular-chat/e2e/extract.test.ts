import type { Page } from 'playwright-core';
import { photograph, Stage } from './support/page.ts';

const stage = new Stage();
let page: Page;

beforeAll(() => stage.open());
beforeEach(async () => {
  page = await stage.page('/extract');
  await page.getByRole('button', { name: 'Extract' }).click();
});
afterEach(async () => {
  await page.context().close();
  expect(stage.complaints.splice(0)).toEqual([]);
});
afterAll(() => stage.close());

const status = (text: string): Promise<void> => page.getByRole('status').filter({ hasText: text }).waitFor();
const cell = (text: string): Promise<void> => page.locator('td', { hasText: text }).waitFor();

it('fills in while the model writes, and is done when the value holds', async () => {
  const exchange = await stage.upstream.asked();
  exchange.text('{"title":"Lau');
  await page.locator('dd', { hasText: /^Lau$/ }).waitFor();
  await status('Reading …');
  exchange.text('nch","when":"Tuesday","people":[{"name":"Ada","brings":"the fig');
  await page.locator('dd', { hasText: /^Launch$/ }).waitFor();
  await cell('the fig');
  await photograph(page, 'extract-writing');
  exchange.text('ures"},{"name":"Grace","brings":"the demo"}]}');
  exchange.end();
  await status('Done');
  expect(await page.locator('td').allTextContents()).toEqual(['Ada', 'the figures', 'Grace', 'the demo']);
  await photograph(page, 'extract-done');
});

it('keeps what had come of an answer that violates the schema', async () => {
  const exchange = await stage.upstream.asked();
  exchange.text('{"title":"Launch","when":7,"people":[]}');
  exchange.end();
  await page.locator('[role=status].error').waitFor();
  expect(await page.locator('dd').first().textContent()).toBe('Launch');
});

it('stops, and the server sees it', async () => {
  const exchange = await stage.upstream.asked();
  exchange.text('{"title":"Lau');
  await page.locator('dd', { hasText: 'Lau' }).waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  await exchange.closed;
  expect(exchange.wasAborted).toBe(true);
  await status('Stopped');
  expect(await page.locator('dd').first().textContent()).toBe('Lau');
});

it('aborts when the route is left', async () => {
  const exchange = await stage.upstream.asked();
  exchange.text('{');
  await page.getByRole('link', { name: 'Chat' }).click();
  await exchange.closed;
  expect(exchange.wasAborted).toBe(true);
});
