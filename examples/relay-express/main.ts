/** A relay in Express: `npm run build && node examples/relay-express/main.ts`. Ctrl-C ends it. */
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import express, { type Express } from 'express';
import { fromEvent, Observable, switchMap, takeUntil } from 'rxjs';
import type { ChatCompletionOptions } from 'rxjs-openai';
import { createRelay } from 'rxjs-openai/relay';
import { upstream$ } from '../relay-hono/upstream.ts';
import { limiters, userOf } from '../relay-hono/users.ts';

function app(completion: ChatCompletionOptions): Express {
  const relay = createRelay<string>({
    completion,
    models: ['gpt-4o-mini'],
    authorize: userOf,
    limiter: limiters(),
    onUsage: (usage, { user, outcome }) => {
      console.log(`${user}: ${String(usage?.total_tokens ?? 'unknown')} tokens, ${outcome}`);
    },
  });
  // Node's request and response on one side, the web's on the other.
  const listener = getRequestListener(relay, { overrideGlobalObjects: false });
  return (
    express()
      .disable('x-powered-by')
      // Before any parser: the relay reads the body itself, within its own limits.
      .all('/v1/chat/completions', (request, response) => listener(request, response))
      .use(express.json())
      .post('/echo', (request, response) => void response.json(request.body))
  );
}

/** Listens while it is subscribed to. */
const serving$ = (completion: ChatCompletionOptions): Observable<never> =>
  new Observable(() => {
    const port = Number(process.env['PORT'] ?? 3000);
    const server = app(completion).listen(port, '127.0.0.1', () => {
      console.log(`listening on http://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1`);
    });
    return () => server.close();
  });

upstream$.pipe(switchMap(serving$), takeUntil(fromEvent(process, 'SIGINT'))).subscribe();
