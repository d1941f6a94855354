import { Answer } from '../../src/angular/answer.ts';
import type { ToolRunEvent } from '../../src/tools/events.ts';

const START = { type: 'start', id: 'c', model: 'm', created: 0, attempt: 1 } as const;
const text = (text: string): ToolRunEvent => ({ type: 'text-delta', choice: 0, text });

function answerTo(...events: readonly unknown[]): Answer {
  const answer = new Answer({ id: '1', runsTools: false });
  for (const event of events) answer.next(event as ToolRunEvent);
  return answer;
}

it('is streaming from the first event on', () => {
  expect(answerTo().message().status).toBe('connecting');
  expect(answerTo(START).message().status).toBe('streaming');
});

it('takes what a restart withdraws back, of its own round alone', () => {
  const before = [{ type: 'round-start', round: 1 }, text('one'), { type: 'round-start', round: 2 }];
  const restart = { type: 'restart', attempt: 2, cause: undefined, discarded: 1 };
  const answer = answerTo(...before, text('tw'), { type: 'usage', usage: { total_tokens: 1 } }, restart, text('two'));
  expect(answer.message()).toMatchObject({ text: 'one\n\ntwo', usage: undefined });
  expect(answer.message().parts).toHaveLength(2);
});

it('shows choice 0, and passes over what it does not know', () => {
  const others = [{ type: 'text-delta', choice: 1, text: 'x' }, { type: 'weather' }, { type: 'logprobs', choice: 0 }];
  expect(answerTo(text('a'), ...others, text('b')).message()).toMatchObject({ text: 'ab', parts: [{ text: 'ab' }] });
});

it('keeps the parts that have not changed, and never changes a message it has given', () => {
  const answer = answerTo({ type: 'reasoning-delta', choice: 0, text: 'hm' }, text('a'));
  const before = answer.message();
  answer.next(text('b'));
  const after = answer.message();
  expect(before.text).toBe('a');
  expect(after.text).toBe('ab');
  expect(after.parts[0]).toBe(before.parts[0]);
  expect(after.parts[1]).not.toBe(before.parts[1]);
});

it('takes a call that was never announced, and marks those that are left', () => {
  const call = { type: 'tool-call', choice: 0, index: 0, id: 'c', name: 'add', arguments: '{}' };
  const begun = { type: 'tool-call-start', choice: 0, index: 1, id: 'd', name: 'sub' };
  const more = { type: 'tool-call-delta', choice: 0, index: 1, arguments: '{"a' };
  const answer = answerTo(call, begun, more);
  expect(answer.message().parts).toMatchObject([
    { toolCallId: 'c', status: 'called', arguments: '{}' },
    { toolCallId: 'd', status: 'calling', arguments: '{"a' },
  ]);
  answer.stop();
  expect(answer.message().parts).toMatchObject([{ status: 'called' }, { status: 'stopped' }]);
});

it.each([
  ['done', 'with a reason', [text('a'), { type: 'finish', choice: 0, reason: 'stop' }]],
  ['done', 'whose server never said why', [text('a'), { type: 'finish', choice: 0, reason: null }]],
  ['stopped', 'that something before us ended', [text('a')]],
])('is %s after an end %s', (status, _, events) => {
  const answer = answerTo(...events);
  answer.complete();
  expect(answer.message().status).toBe(status);
});

it('is not opened again by what comes after its end', () => {
  const answer = answerTo(text('a'));
  answer.stop();
  answer.next(text('b'));
  answer.error(new Error('aborted'));
  expect(answer.message()).toMatchObject({ status: 'stopped', text: 'ab', error: undefined });
});
