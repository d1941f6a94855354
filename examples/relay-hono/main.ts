/** A relay in Hono, on Node: `npm run build && node examples/relay-hono/main.ts`. Ctrl-C ends it. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { fromEvent, Observable, switchMap, takeUntil } from 'rxjs';
import type { ChatCompletionOptions } from 'rxjs-openai';
import { createRelay } from 'rxjs-openai/relay';
import { upstream$ } from './upstream.ts';
import { limiters, userOf } from './users.ts';

function app(completion: ChatCompletionOptions): Hono {
  const relay = createRelay<string>({
    completion,
    models: ['gpt-4o-mini'],
    authorize: userOf,
    limiter: limiters(),
    onUsage: (usage, { user, outcome }) => {
      console.log(`${user}: ${String(usage?.total_tokens ?? 'unknown')} tokens, ${outcome}`);
    },
  });
  const hono = new Hono();
  hono.get('/', (context) => context.text('This is a relay: see /v1/chat/completions'));
  // All methods: what is not POST is the relay's to refuse, and questions of browsers are its to answer.
  hono.all('/v1/chat/completions', (context) => relay(context.req.raw));
  return hono;
}

/** Listens while it is subscribed to. */
const serving$ = (completion: ChatCompletionOptions): Observable<never> =>
  new Observable(() => {
    const { fetch } = app(completion);
    const port = Number(process.env['PORT'] ?? 3000);
    const server = serve({ fetch, hostname: '127.0.0.1', port }, (address) => {
      console.log(`listening on http://127.0.0.1:${String(address.port)}/v1`);
    });
    return () => server.close();
  });

upstream$.pipe(switchMap(serving$), takeUntil(fromEvent(process, 'SIGINT'))).subscribe();
