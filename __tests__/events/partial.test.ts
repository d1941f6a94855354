import { EMPTY_PARTIAL, type PartialCompletion } from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { PartialBuffer } from '../../src/events/partial.ts';
import { EVENTS, inOrder } from '../support/events.ts';

function bufferOf(events: readonly unknown[], choice?: number): PartialBuffer {
  const buffer = new PartialBuffer(choice);
  for (const event of events) buffer.add(event);
  return buffer;
}

function partialOf(letters: string, choice?: number): PartialCompletion {
  return bufferOf(inOrder(letters), choice).toPartial();
}

const CALL = { id: 'c', name: 'f', arguments: '{}' };

describe('a partial', () => {
  it.each<[string, string, Partial<PartialCompletion>]>([
    ['is empty before anything came', '', {}],
    ['has the text', 'sab', { text: 'ab' }],
    ['has the reasoning', 'srr', { reasoning: 'hmhm' }],
    ['has the refusal', 'snn', { refusal: 'nono' }],
    ['has them beside each other', 'sarbn', { text: 'ab', reasoning: 'hm', refusal: 'no' }],
    ['has a tool call that only began', 'st', { toolCalls: [{ ...CALL, arguments: '' }] }],
    ['has a tool call as far as it came', 'std', { toolCalls: [CALL] }],
    ['has a whole tool call once', 'stdw', { toolCalls: [CALL] }],
    ['has a tool call whose pieces nobody told', 'sw', { toolCalls: [CALL] }],
    ['has no piece of a call that never began', 'sd', {}],
    ['has nothing else', 's-lxX-u-f-?*', {}],
    ['has nothing of other choices', 'AQNTDWF', {}],
    ['is empty after a restart', 'sarntdwR', {}],
    ['has what came after a restart', 'sarntdwRsb', { text: 'b' }],
    ['has the call that began anew after a restart', 'stdRst', { toolCalls: [{ ...CALL, arguments: '' }] }],
  ])('%s', (_name, letters, partial) => {
    expect(partialOf(letters)).toStrictEqual({ ...EMPTY_PARTIAL, ...partial });
  });

  it('is that of another choice where it is asked to be', () => {
    expect(partialOf('saAbQrNnTtDdWwfF', 1)).toStrictEqual({
      text: 'A',
      reasoning: 'HM',
      refusal: 'NO',
      toolCalls: [{ id: 'C', name: 'F', arguments: '{}' }],
    });
    expect(partialOf('sarn', 1)).toStrictEqual(EMPTY_PARTIAL);
    expect(partialOf('sAR', 1)).toStrictEqual(EMPTY_PARTIAL);
  });

  it('has several tool calls in the order in which they began, their pieces put together', () => {
    const began = (index: number): CompletionEvent => ({ ...EVENTS.t, index, id: `c${index}` });
    const piece = (index: number, json: string): CompletionEvent => ({ ...EVENTS.d, index, arguments: json });
    const whole: CompletionEvent = { ...EVENTS.w, index: 2, id: 'c2' };
    const events = [
      began(1),
      began(0),
      piece(0, '{'),
      piece(1, '['),
      piece(0, '}'),
      whole,
      piece(1, ']'),
      piece(3, 'x'),
    ];
    expect(bufferOf(events).toPartial().toolCalls).toStrictEqual([
      { ...CALL, id: 'c1', arguments: '[]' },
      { ...CALL, id: 'c0', arguments: '{}' },
      { ...CALL, id: 'c2', arguments: '{}' },
    ]);
  });

  it('does not change when more comes', () => {
    const buffer = bufferOf(inOrder('sarnt'));
    const first = buffer.toPartial();
    const copy = structuredClone(first);
    for (const event of inOrder('barndw')) buffer.add(event);
    expect(first).toStrictEqual(copy);
    expect(buffer.toPartial()).not.toEqual(copy);
    const second = buffer.toPartial();
    const secondCopy = structuredClone(second);
    buffer.add(EVENTS.R);
    expect(second).toStrictEqual(secondCopy);
  });

  it('can be taken any number of times', () => {
    const buffer = bufferOf(inOrder('sartd'));
    expect(buffer.toPartial()).toStrictEqual(buffer.toPartial());
    expect(buffer.toPartial().toolCalls).not.toBe(buffer.toPartial().toolCalls);
  });

  it('is put together from any number of pieces', () => {
    const pieces = Array.from({ length: 5000 }, (_, index): CompletionEvent => ({ ...EVENTS.a, text: `${index} ` }));
    const expected = pieces.map((_, index) => `${index} `).join('');
    expect(bufferOf(pieces).toPartial().text).toBe(expected);
  });

  it('ignores what is no event', () => {
    const foreign = ['text', '', 1, null, undefined, ['a'], {}, { choice: 0, text: 'a' }, { type: 1, choice: 0 }];
    expect(bufferOf(foreign).toPartial()).toBe(EMPTY_PARTIAL);
    expect(bufferOf([...foreign, EVENTS.a, ...foreign]).toPartial()).toMatchObject({ text: 'a' });
  });

  it('is frozen and the same where there is nothing to tell', () => {
    for (const letters of ['', 's', 'AF', 'aR']) expect(partialOf(letters)).toBe(EMPTY_PARTIAL);
    expect(Object.isFrozen(EMPTY_PARTIAL)).toBe(true);
    expect(Object.isFrozen(EMPTY_PARTIAL.toolCalls)).toBe(true);
  });
});
