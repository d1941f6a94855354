import { PassThrough } from 'node:stream';
import { concat, NEVER, of, throwError, type Observable } from 'rxjs';
import type { CompletionEvent, OpenAIChatCompletion } from '../../../src/index.ts';
import { Conversation } from '../../../examples/chat/conversation.ts';

type EventsMethod = OpenAIChatCompletion['events$'];

const text = (piece: string): CompletionEvent => ({ type: 'text-delta', choice: 0, text: piece });

/** A client that gives these answers in turn, and remembers what it was asked. */
function scripted(...answers: readonly Observable<CompletionEvent>[]) {
  const asked: Parameters<EventsMethod>[] = [];
  const events$: EventsMethod = (...call) => answers[asked.push(call) - 1] ?? of();
  return { asked, messages: () => asked.map(([messages]) => messages), events$ };
}

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

describe('a conversation', () => {
  it('sends each prompt with everything said before', () => {
    const client = scripted(of(text('Blue'), text('.')), of(text('Green.')), of());
    const conversation = new Conversation(client, new PassThrough());
    for (const prompt of ['Your colour?', 'Another?', 'Thanks']) conversation.ask$(prompt).subscribe();
    expect(client.messages()).toEqual([
      [user('Your colour?')],
      [user('Your colour?'), assistant('Blue.'), user('Another?')],
      [user('Your colour?'), assistant('Blue.'), user('Another?'), assistant('Green.'), user('Thanks')],
    ]);
  });

  it('begins with the system message', () => {
    const client = scripted(of(text('Yes')), of());
    const conversation = new Conversation(client, new PassThrough(), 'Be brief');
    conversation.ask$('Well?').subscribe();
    conversation.ask$('And?').subscribe();
    expect(client.messages()[1]).toEqual([
      { role: 'system', content: 'Be brief' },
      user('Well?'),
      assistant('Yes'),
      user('And?'),
    ]);
  });

  it('remembers as much of an answer as was shown before it was stopped or failed', () => {
    const stopped$ = concat(of(text('Once upon')), NEVER);
    const failed$ = concat(
      of(text('There was')),
      throwError(() => new Error('cut')),
    );
    const client = scripted(stopped$, failed$, of());
    const conversation = new Conversation(client, new PassThrough());
    conversation.ask$('A tale').subscribe().unsubscribe();
    conversation.ask$('Again').subscribe({ error: () => undefined });
    conversation.ask$('Go on').subscribe();
    expect(client.messages()[2]).toEqual([
      user('A tale'),
      assistant('Once upon'),
      user('Again'),
      assistant('There was'),
      user('Go on'),
    ]);
  });

  it('forgets a turn that came to nothing', () => {
    const client = scripted(
      throwError(() => new Error('no')),
      of(),
    );
    const conversation = new Conversation(client, new PassThrough());
    conversation.ask$('One').subscribe({ error: () => undefined });
    conversation.ask$('Two').subscribe();
    expect(client.messages()[1]).toEqual([user('Two')]);
  });

  it('asks nothing before it is subscribed', () => {
    const client = scripted(of());
    void new Conversation(client, new PassThrough()).ask$('Well?');
    expect(client.asked).toEqual([]);
  });

  it('lets the server wait while the reader of the answer is behind', async () => {
    const client = scripted(of());
    const reader = new PassThrough({ highWaterMark: 1 });
    new Conversation(client, reader).ask$('Well?').subscribe();
    const gate = client.asked[0]?.[2]?.gate;
    await gate?.();
    reader.write('more than it takes');
    const passed = jest.fn();
    const opened = Promise.resolve(gate?.()).then(passed);
    await new Promise(setImmediate);
    expect(passed).not.toHaveBeenCalled();
    reader.resume();
    await opened;
    expect(passed).toHaveBeenCalledTimes(1);
  });
});
