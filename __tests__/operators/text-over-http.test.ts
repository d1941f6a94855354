import { BehaviorSubject, filter, firstValueFrom, tap } from 'rxjs';
import { segment } from '../../src/operators/segment.ts';
import { smooth } from '../../src/operators/smooth.ts';
import { stopWhen } from '../../src/operators/stop-when.ts';
import { CLIENTS, HandClock, outcomeOf } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import {
  cut,
  drip,
  end,
  hang,
  head,
  say,
  script,
  sentence,
  stream,
  text,
  untilShown,
  type Step,
} from '../support/faults-steps.ts';

let server: FaultServer;
beforeEach(async () => {
  server = await startFaultServer();
});
afterEach(() => server.close());

/** Counts for ever, a number in two pieces. */
const count: Step = async ({ response, write }) => {
  for (let number = 1; !response.destroyed; number++) {
    await write(text(`${number}`.slice(0, 1)) + text(`${`${number}`.slice(1)}\n`));
    await new Promise(setImmediate);
  }
};

describe.each(CLIENTS)('over the $name transport,', ({ client }) => {
  it('stopWhen ends an answer that would go on for ever', async () => {
    const chat = client(server.route('answer', script(head(), count)));
    const { values, completed } = await outcomeOf(chat.stream$('Count').pipe(stopWhen('\n12')));
    expect(values.join('')).toBe('1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11');
    expect(completed).toBe(true);
    expect(await server.closed(0)).toBe('aborted');
    expect(server.requests).toHaveLength(1);
  });

  it('segment shows the words of an answer that comes byte by byte', async () => {
    const chat = client(server.route('answer', script(head(), drip(sentence('Sto', "p, don't", ' 👩‍👩‍👧!'), 1), end)));
    const words = await outcomeOf(chat.stream$('Hi').pipe(segment({ by: 'word', locale: 'en' })));
    expect(words).toEqual({ values: ['Stop', ',', ' ', "don't", ' ', '👩‍👩‍👧', '!'], completed: true });
  });

  it('segment shows the rest of an answer that breaks off, and then why', async () => {
    const chat = client(server.route('answer', script(head(), say(text('One.\nTw')), untilShown, cut)));
    const lines = await outcomeOf(
      chat.stream$('Hi').pipe(
        tap(() => {
          server.show();
        }),
        segment({ by: 'line' }),
      ),
    );
    expect(lines.values).toEqual(['One.\n', 'Tw']);
    expect(lines.error).toMatchObject({ kind: 'interrupted', partial: { text: 'One.\nTw' } });
  });

  it('smooth shows a burst frame by frame, and leaves no timer to a consumer that leaves', async () => {
    const clock = new HandClock();
    const shown$ = new BehaviorSubject('');
    const chat = client(server.route('answer', script(head(), say(text('abcdef')), hang)));
    const consumer = chat
      .stream$('Hi')
      .pipe(smooth({ maxLagMs: 30, frameMs: 10, scheduler: clock }))
      .subscribe((part) => {
        shown$.next(shown$.value + part);
      });
    expect(await firstValueFrom(shown$.pipe(filter((shown) => shown !== '')))).toBe('ab');
    clock.advance(10);
    expect(shown$.value).toBe('abcd');
    expect(clock.pending).toBe(1);
    consumer.unsubscribe();
    expect(clock.pending).toBe(0);
    expect(await server.closed(0)).toBe('aborted');
    clock.advance(100);
    expect(shown$.value).toBe('abcd');
  });

  it('smooth shows the whole answer, though no time passes', async () => {
    const clock = new HandClock();
    const chat = client(server.route('answer', stream(sentence('Once upon', ' a time'))));
    const { values, completed } = await outcomeOf(chat.stream$('Hi').pipe(smooth({ scheduler: clock })));
    expect([values.join(''), completed]).toEqual(['Once upon a time', true]);
    expect(clock.pending).toBe(0);
  });
});
