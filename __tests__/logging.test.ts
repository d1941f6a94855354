import { asyncScheduler, take } from 'rxjs';
import type { ChatCompletionOptions, LogLevel, Logger, ResponseInfo, RetryInfo } from '../src/index.ts';
import {
  API_KEY,
  CLIENTS,
  HandClock,
  handBody,
  outcomeOf,
  recordedFetch,
  recordingLogger,
  turn,
} from './support/client.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { completion, cut, head, inTurn, json, say, script, sentence, stream, text } from './support/faults-steps.ts';

const PROMPT = 'Say this is a test!';
const ANSWER = 'This is a secret answer';
const refusing = json(429, { error: { message: `wait ${ANSWER}` } }, { 'x-request-id': 'req_3' });

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({
    whole: script(head({ 'x-request-id': 'req_1' }), say(sentence(...ANSWER.split(' '))), ({ response }) => {
      response.end();
    }),
    complete: json(200, completion(ANSWER), { 'request-id': 'req_2' }),
    refusing,
    broken: script(head(), say(text(ANSWER)), cut),
  });
});
afterAll(() => server.close());

describe.each(CLIENTS)('the log over the $name transport', ({ client }) => {
  function logged(route: string, options: ChatCompletionOptions = {}) {
    const logger = recordingLogger();
    const url = server.baseURL(route);
    return { logger, chat: client(url, { logger, logLevel: 'debug', scheduler: new HandClock(), ...options }) };
  }

  it('has one line for each request: model, attempt, request id, duration and outcome', async () => {
    const { logger, chat } = logged('whole');
    await outcomeOf(chat.stream$(PROMPT));
    expect(logger.lines).toEqual([
      'info rxjs-openai: chat completion model=gpt-4o-mini attempt=1 requestId=req_1 durationMs=0 outcome=completed',
    ]);
  });

  it('measures the duration on the scheduler of the client, to the end of the call', async () => {
    const scheduler = new HandClock();
    const logger = recordingLogger();
    const body = handBody();
    let outcome: Promise<unknown> | undefined;
    await new Promise<void>((resolve) => {
      const fetch = recordedFetch(() => {
        resolve();
        return new Response(body.stream);
      });
      const chat = client('http://127.0.0.1:9', { fetch, scheduler, logger, logLevel: 'info' });
      outcome = outcomeOf(chat.stream$(PROMPT));
    });
    await turn();
    scheduler.advance(1234);
    await body.say(sentence('yes'));
    await outcome;
    expect(logger.lines).toEqual([expect.stringMatching(/ durationMs=1234 outcome=completed$/)]);
  });

  it.each([
    ['complete', 'requestId=req_2 durationMs=0 outcome=completed'],
    ['refusing', 'requestId=req_3 durationMs=0 outcome=rate-limit'],
    ['broken', 'durationMs=0 outcome=interrupted'],
  ])('tells how the call ended (%s)', async (route, ending) => {
    const { logger, chat } = logged(route);
    await outcomeOf(route === 'complete' ? chat.generate$(PROMPT) : chat.stream$(PROMPT));
    expect(logger.lines).toEqual([`info rxjs-openai: chat completion model=gpt-4o-mini attempt=1 ${ending}`]);
  });

  it('tells of an unsubscribe, and of what is no error of ours', async () => {
    const { logger, chat } = logged('whole');
    await outcomeOf(chat.stream$(PROMPT).pipe(take(1)));
    const hooks = {
      onResponse: () => {
        throw new RangeError(`mine, with ${API_KEY}`);
      },
    };
    await outcomeOf(client(server.baseURL('whole'), { logger, logLevel: 'info', hooks }).stream$(PROMPT));
    expect(logger.lines.map((line) => line.replace(/.*outcome=/, ''))).toEqual([
      'unsubscribed',
      'failed: mine, with ***',
    ]);
  });

  it('warns when a default is dropped', async () => {
    const refusal = json(400, { error: { message: 'no', param: 'temperature' } });
    server.route('strict', inTurn(refusal, json(200, completion('yes'))));
    const { logger, chat } = logged('strict', { logLevel: 'warn' });
    await outcomeOf(chat.generate$(PROMPT, { model: 'my\u001b[31m-model' }));
    expect(logger.lines).toEqual([
      'warn rxjs-openai: my-model refuses the default temperature; asking again without it',
    ]);
  });

  it('has a line for each retry: which attempt, after what pause and what kind of error', async () => {
    server.route('moody', inTurn(refusing, stream(sentence('no')), stream(sentence('yes'))));
    const scheduler = new HandClock();
    const hooks = {
      onResponse: ({ attempt }: ResponseInfo) => {
        if (attempt === 2) throw new RangeError(`mine, with ${API_KEY}`);
      },
      onRetry: ({ delayMs }: RetryInfo) => {
        void turn().then(() => {
          scheduler.advance(delayMs);
        });
      },
    };
    const retry = { baseDelayMs: 20, jitter: 0, when: () => true };
    const { logger, chat } = logged('moody', { scheduler, hooks, retry });
    expect(await outcomeOf(chat.stream$(PROMPT))).toEqual({ values: ['yes'], completed: true });
    const line = 'info rxjs-openai: chat completion model=gpt-4o-mini';
    expect(logger.lines).toEqual([
      `${line} attempt=1 requestId=req_3 durationMs=0 outcome=rate-limit`,
      'info rxjs-openai: attempt=2 follows in 20 ms, after rate-limit',
      `${line} attempt=2 durationMs=0 outcome=failed: mine, with ***`,
      'info rxjs-openai: attempt=3 follows in 40 ms, after an error',
      `${line} attempt=3 durationMs=0 outcome=completed`,
    ]);
  });

  it.each<[LogLevel, number]>([
    ['off', 0],
    ['error', 0],
    ['warn', 0],
    ['info', 1],
    ['debug', 1],
  ])('level %s', async (logLevel, lines) => {
    const { logger, chat } = logged('whole', { logLevel });
    await outcomeOf(chat.stream$(PROMPT));
    expect(logger.lines).toHaveLength(lines);
  });

  it('never holds prompt, answer or key', async () => {
    const retry = { baseDelayMs: 0, maxRetries: 1 };
    for (const route of ['whole', 'complete', 'refusing', 'broken']) {
      const { logger, chat } = logged(route, { retry, scheduler: asyncScheduler });
      await outcomeOf(chat.stream$(PROMPT));
      await outcomeOf(chat.generate$(PROMPT));
      await outcomeOf(chat.events$(PROMPT));
      if (route === 'refusing')
        expect(logger.lines.filter((line) => line.includes('attempt=2 follows'))).toHaveLength(3);
      const lines = logger.lines.join('\n');
      for (const content of [PROMPT, ...ANSWER.split(' ').filter((word) => word.length > 3), API_KEY]) {
        expect(lines).not.toContain(content);
      }
    }
  });

  it('breaks no call when the logger does', async () => {
    const fail = (): never => {
      throw new Error('the disk is full');
    };
    const logger: Logger = { error: fail, warn: fail, info: fail, debug: fail };
    const chat = client(server.baseURL('whole'), { logger, logLevel: 'debug' });
    expect(await outcomeOf(chat.stream$(PROMPT))).toMatchObject({ completed: true });
    server.route('strict', inTurn(json(400, { error: { param: 'temperature' } }), stream(sentence('yes'))));
    const strict = client(server.baseURL('strict'), { logger, logLevel: 'debug' });
    expect(await outcomeOf(strict.stream$(PROMPT))).toEqual({ values: ['yes'], completed: true });
  });
});
