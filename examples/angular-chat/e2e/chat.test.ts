import type { Page } from 'playwright-core';
import { ask, photograph, Stage } from './support/page.ts';

const stage = new Stage();
let page: Page;

beforeAll(() => stage.open());
beforeEach(async () => {
  page = await stage.page();
});
afterEach(async () => {
  await page.context().close();
  expect(stage.complaints.splice(0)).toEqual([]);
});
afterAll(() => stage.close());

const answer = (): ReturnType<Page['locator']> => page.locator('app-assistant-message').last();
const shows = (text: string): Promise<void> => answer().getByText(text).first().waitFor();

it('shows the question at once, and the answer as it grows', async () => {
  await photograph(page, 'empty');
  await ask(page, 'What is a river?');
  await page.locator('.said', { hasText: 'What is a river?' }).waitFor();
  await photograph(page, 'waiting');
  const exchange = await stage.upstream.asked();
  expect(exchange.question).toMatchObject({ model: 'gpt-4o-mini', stream: true });
  expect(exchange.question.messages).toEqual([
    { role: 'system', content: 'You are a helpful assistant. Answer in Markdown.' },
    { role: 'user', content: 'What is a river?' },
  ]);
  exchange.text('A river is ');
  await shows('A river is');
  expect(await page.locator('[role=log]').getAttribute('aria-busy')).toBe('true');
  exchange.text('**rain** that has decided');
  await answer().locator('strong', { hasText: 'rain' }).waitFor();
  await photograph(page, 'streaming');
  exchange.text(' where to go.\n\n```ts\nriver$.pipe(share());\n```\n\n| a | b |\n| - | - |\n| 1 | 2 |\n');
  exchange.end();
  await shows('27 tokens');
  expect(await answer().locator('pre code').textContent()).toBe('river$.pipe(share());\n');
  expect(await answer().locator('td').allTextContents()).toEqual(['1', '2']);
  await shows('first token after');
  expect(await page.locator('[role=log]').getAttribute('aria-busy')).toBe('false');
  await photograph(page, 'done');
});

it('says how fast the model was, where there was time to tell', async () => {
  await page.clock.install();
  await ask(page, 'Hello');
  const exchange = await stage.upstream.asked();
  exchange.text('Slow ');
  await shows('Slow');
  await page.clock.fastForward(4000);
  exchange.text('and steady');
  exchange.end();
  await shows('27 tokens');
  // 20 tokens in 4 s, and in what the test itself has taken.
  const rate = /(\d+) tokens\/s/.exec((await answer().textContent()) ?? '')?.[1];
  expect(['2', '3', '4', '5']).toContain(rate);
});

it('makes each block once: what is done stays as it is while the rest grows', async () => {
  await ask(page, 'Hello');
  const exchange = await stage.upstream.asked();
  exchange.text('First.\n\nSecond.\n\nThird.\n\nFour');
  await shows('Four');
  await answer()
    .getByText('First.')
    .evaluate((element) => {
      element.setAttribute('data-kept', 'yes');
    });
  exchange.text('th.\n\n- and\n\n- more');
  exchange.end();
  await shows('27 tokens');
  expect(await answer().locator('[data-kept]').textContent()).toBe('First.');
  expect(await answer().locator('p:not(.foot)').allTextContents()).toEqual([
    'First.',
    'Second.',
    'Third.',
    'Fourth.',
    'and',
    'more',
  ]);
  expect(await answer().locator('ul').count()).toBe(1);
});

it('begins anew', async () => {
  await ask(page, 'Hello');
  const exchange = await stage.upstream.asked();
  exchange.text('Hi');
  await shows('Hi');
  await page.getByRole('button', { name: 'New chat' }).click();
  await exchange.closed;
  expect(exchange.wasAborted).toBe(true);
  await page.getByText('What would you like to know?').waitFor();
  expect(await page.locator('article').count()).toBe(0);
  await ask(page, 'Again');
  expect((await stage.upstream.asked()).question.messages.slice(1)).toEqual([{ role: 'user', content: 'Again' }]);
});

it('escapes HTML of the model, and loads no pictures', async () => {
  await ask(page, 'Hello');
  const exchange = await stage.upstream.asked();
  exchange.text(
    '<img src=x onerror="document.title=1"> ![a picture](http://127.0.0.1:1/x.png) [link](javascript:alert(1))',
  );
  exchange.end();
  await shows('27 tokens');
  expect(await answer().locator('img').count()).toBe(0);
  expect(await answer().locator('a[href^="javascript"]').count()).toBe(0);
  expect(await page.title()).toBe('Chat');
});

it.each([
  ['the button', () => page.getByRole('button', { name: 'Stop' }).click()],
  ['Escape', () => page.locator('#question').press('Escape')],
])('stops by %s: the server sees it, the text stays', async (_, stop) => {
  await ask(page, 'Go on and on');
  const exchange = await stage.upstream.asked();
  exchange.text('On and');
  await shows('On and');
  await stop();
  await exchange.closed;
  expect(exchange.wasAborted).toBe(true);
  await shows('Stopped');
  expect(await answer().textContent()).toContain('On and');
  await photograph(page, 'stopped');
});

it('stops before the first byte', async () => {
  await ask(page, 'Hello');
  const exchange = await stage.upstream.asked();
  await page.getByRole('button', { name: 'Stop' }).click();
  await exchange.closed;
  expect(exchange.wasAborted).toBe(true);
});

it('aborts when the route is left', async () => {
  await ask(page, 'Hello');
  const exchange = await stage.upstream.asked();
  exchange.text('He');
  await shows('He');
  await page.getByRole('link', { name: 'Extract' }).click();
  await exchange.closed;
  expect(exchange.wasAborted).toBe(true);
});

it('keeps the text of an answer that breaks, and answers the next question', async () => {
  await ask(page, 'Hello');
  const broken = await stage.upstream.asked();
  broken.text('Half of it');
  await shows('Half of it');
  broken.tear();
  await answer().getByRole('alert').waitFor();
  expect(await answer().textContent()).toContain('Half of it');
  await photograph(page, 'error');
  await ask(page, 'Go on');
  const next = await stage.upstream.asked();
  expect(next.question.messages.slice(1)).toEqual([
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Half of it' },
    { role: 'user', content: 'Go on' },
  ]);
  next.text('The other half');
  next.end();
  await shows('27 tokens');
  expect(await page.locator('app-assistant-message').first().textContent()).toContain('Half of it');
});

it.each([
  [400, 400],
  [429, 429],
  [500, 502],
])('tries again after a status of %d', async (status, relayed) => {
  await ask(page, 'Hello');
  (await stage.upstream.asked()).fail(status, 'no such thing');
  await answer().getByText('No answer.').waitFor();
  await page.getByRole('button', { name: 'Try again' }).click();
  const again = await stage.upstream.asked();
  expect(again.question.messages.slice(1)).toEqual([{ role: 'user', content: 'Hello' }]);
  again.text('Here');
  again.end();
  await shows('27 tokens');
  expect(await page.locator('app-assistant-message').count()).toBe(1);
  expect(await page.getByRole('alert').count()).toBe(0);
  // The browser's own word on a status.
  expect(stage.complaints.splice(0)).toEqual([expect.stringContaining(`a status of ${String(relayed)}`)]);
});

it('regenerates the last answer', async () => {
  await ask(page, 'Hello');
  const first = await stage.upstream.asked();
  first.text('One');
  first.end();
  await page.getByRole('button', { name: 'Regenerate' }).click();
  const second = await stage.upstream.asked();
  expect(second.question.messages.slice(1)).toEqual([{ role: 'user', content: 'Hello' }]);
  second.text('Two');
  second.end();
  await shows('Two');
  expect(await page.locator('[role=log]').textContent()).not.toContain('One');
});

it('asks an edited question anew, and forgets what followed', async () => {
  await ask(page, 'Hallo');
  const first = await stage.upstream.asked();
  first.text('Guten Tag');
  first.end();
  await shows('27 tokens');
  await page.getByRole('button', { name: 'Edit the question: Hallo' }).click();
  await photograph(page, 'editing');
  await page.getByLabel('Your question, edited').fill('Hello');
  await page.getByRole('button', { name: 'Ask again' }).click();
  const second = await stage.upstream.asked();
  expect(second.question.messages.slice(1)).toEqual([{ role: 'user', content: 'Hello' }]);
  second.text('Good day');
  second.end();
  await shows('Good day');
  expect(await page.locator('article').count()).toBe(2);
});

it('asks the model that is chosen', async () => {
  await page.getByLabel('Model').selectOption('gpt-4o');
  await ask(page, 'Hello');
  const exchange = await stage.upstream.asked();
  expect(exchange.question.model).toBe('gpt-4o');
  exchange.text('Hi');
  exchange.end();
  await shows('Hi');
});

describe('a tool', () => {
  const askForWeather = async (): Promise<void> => {
    await ask(page, 'What is the weather in Oslo?');
    const exchange = await stage.upstream.asked();
    exchange.text('I will look.');
    exchange.toolCall('weather', { city: 'Oslo' });
    exchange.end('tool_calls');
    await page.getByRole('button', { name: 'Allow' }).waitFor();
  };

  it('runs when it is allowed, and the model is told', async () => {
    await askForWeather();
    await photograph(page, 'approval');
    await page.getByRole('button', { name: 'Allow' }).click();
    const { question } = await stage.upstream.asked();
    expect(question.messages.at(-1)).toMatchObject({ role: 'tool', content: 'Oslo: -4 °C, dry' });
  });

  it('does not run when it is refused, and the model is told why', async () => {
    await askForWeather();
    await page.getByRole('button', { name: 'Refuse' }).click();
    const { question } = await stage.upstream.asked();
    expect(question.messages.at(-1)).toMatchObject({
      role: 'tool',
      content: expect.stringContaining('The user refused'),
    });
    await page.locator('.tool.denied').waitFor();
  });
});

it('takes Shift+Enter for a line break', async () => {
  const question = page.locator('#question');
  await question.pressSequentially('one');
  await question.press('Shift+Enter');
  await question.pressSequentially('two');
  expect(await question.inputValue()).toBe('one\ntwo');
  await question.press('Enter');
  const exchange = await stage.upstream.asked();
  expect(exchange.question.messages.at(-1)?.content).toBe('one\ntwo');
  expect(await question.inputValue()).toBe('');
});
