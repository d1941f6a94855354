import type { CompletionEvent } from '../../src/events/event.ts';
import { shareCompletion, type ShareCompletionOptions } from '../../src/operators/share.ts';
import { CAUSE, EVENTS, marbles } from '../support/events.ts';

/** Events by letter; `2` and `3` are texts that came in as many pieces. */
const VALUES = {
  ...EVENTS,
  2: { type: 'text-delta', choice: 0, text: 'ab' },
  3: { type: 'text-delta', choice: 0, text: 'aba' },
} satisfies Readonly<Record<string, CompletionEvent>>;

interface Subscriber {
  /** From when to when it is there; `^` alone for ever. */
  readonly from: string;
  readonly sees: string;
}

interface Case {
  readonly name: string;
  readonly source: string;
  readonly options?: ShareCompletionOptions;
  readonly subscribers: readonly Subscriber[];
  /** Of the source: the requests. */
  readonly requests: readonly string[];
}

function expectShared({ source, options, subscribers, requests }: Case): void {
  marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
    const events = cold<CompletionEvent>(source, EVENTS, CAUSE);
    const result = events.pipe(shareCompletion({ ...options, scheduler }));
    for (const { from: stay, sees } of subscribers) expectObservable(result, stay).toBe(sees, VALUES, CAUSE);
    expectSubscriptions(events.subscriptions).toBe([...requests]);
  });
}

describe('shareCompletion', () => {
  it.each<Case>([
    {
      name: 'sends one request for many',
      source: '--s-a-b-f|',
      subscribers: [
        { from: '^', sees: '--s-a-b-f|' },
        { from: '^', sees: '--s-a-b-f|' },
        { from: '-^', sees: '--s-a-b-f|' },
      ],
      requests: ['^--------!'],
    },
    {
      name: 'tells in short what was said to one who comes later, then goes on',
      source: '--s-a-b-----a-f|',
      subscribers: [
        { from: '^', sees: '--s-a-b-----a-f|' },
        { from: '---^', sees: '---sa-b-----a-f|' },
        { from: '-------^', sees: '-------(s2)-a-f|' },
      ],
      requests: ['^--------------!'],
    },
    {
      name: 'is silent with its source, until the last has left',
      source: '---',
      subscribers: [
        { from: '^--!', sees: '---' },
        { from: '-^---!', sees: '---' },
      ],
      requests: ['^----!'],
    },
    {
      name: 'is empty with its source',
      source: '--|',
      subscribers: [
        { from: '^', sees: '--|' },
        { from: '-^', sees: '--|' },
      ],
      requests: ['^-!'],
    },
    {
      name: 'fails with its source, before output',
      source: '-s-#',
      subscribers: [
        { from: '^', sees: '-s-#' },
        { from: '--^', sees: '--s#' },
      ],
      requests: ['^--!'],
    },
    {
      name: 'fails with its source, after output',
      source: '-sab-----#',
      subscribers: [
        { from: '^', sees: '-sab-----#' },
        { from: '----^', sees: '----(s2)-#' },
      ],
      requests: ['^--------!'],
    },
    {
      name: 'asks anew for one who comes after the end',
      source: '-sa|',
      subscribers: [
        { from: '^', sees: '-sa|' },
        { from: '-----^', sees: '------sa|' },
      ],
      requests: ['^--!', '-----^--!'],
    },
    {
      name: 'asks anew for one who comes after an error',
      source: '-s#',
      subscribers: [
        { from: '^', sees: '-s#' },
        { from: '-----^', sees: '------s#' },
      ],
      requests: ['^-!', '-----^-!'],
    },
    {
      name: 'goes on when one leaves, and ends with the last in the same tick',
      source: '-s-a-b-a-b-a-|',
      subscribers: [
        { from: '^---!', sees: '-s-a' },
        { from: '^------!', sees: '-s-a-b--' },
      ],
      requests: ['^------!'],
    },
    {
      name: 'asks anew after the last has left, and tells nothing of before',
      source: '-s-a-b|',
      subscribers: [
        { from: '^---!', sees: '-s-a' },
        { from: '-----^', sees: '------s-a-b|' },
      ],
      requests: ['^---!', '-----^-----!'],
    },
    {
      name: 'tells one who comes after a restart what was said since',
      source: 'sa-R---sb----f|',
      subscribers: [
        { from: '^', sees: 'sa-R---sb----f|' },
        { from: '-----^', sees: '-------sb----f|' },
        { from: '---------^', sees: '---------(sb)f|' },
      ],
      requests: ['^-------------!'],
    },
  ])('$name', (row) => {
    expectShared(row);
  });
});

describe('graceMs', () => {
  it.each<Case>([
    {
      name: 'lets the request go on for so long after the last has left',
      source: '-s-a-b-a-b-a-b-|',
      options: { graceMs: 5 },
      subscribers: [{ from: '^--!', sees: '-s--' }],
      requests: ['^-------!'],
    },
    {
      name: 'lets one come back to it, and hear what was said meanwhile',
      source: '-s-a-b--------a-f|',
      options: { graceMs: 5 },
      subscribers: [
        { from: '^--!', sees: '-s--' },
        { from: '------^', sees: '------(s2)----a-f|' },
      ],
      requests: ['^----------------!'],
    },
    {
      name: 'begins anew each time that the last leaves',
      source: '-s-------------------|',
      options: { graceMs: 5 },
      subscribers: [
        { from: '^--!', sees: '-s' },
        { from: '------^-!', sees: '------s' },
      ],
      requests: ['^------------!'],
    },
    {
      name: 'runs while nobody is there, not while another is',
      source: '-s------------------|',
      options: { graceMs: 5 },
      subscribers: [
        { from: '^--!', sees: '-s' },
        { from: '^----------!', sees: '-s' },
      ],
      requests: ['^---------------!'],
    },
    {
      name: 'is over at its end: who comes then asks anew',
      source: '-s-a-b-|',
      options: { graceMs: 2 },
      subscribers: [
        { from: '^--!', sees: '-s--' },
        { from: '------^', sees: '-------s-a-b-|' },
      ],
      requests: ['^----!', '------^------!'],
    },
    {
      name: 'may be without end',
      source: '-s 60s a|',
      options: { graceMs: Number.POSITIVE_INFINITY },
      subscribers: [{ from: '^-!', sees: '-s' }],
      requests: ['^- 60s -!'],
    },
    {
      name: 'keeps no error that comes while nobody is there',
      source: '-s---#',
      options: { graceMs: 9, keepMs: 9 },
      subscribers: [
        { from: '^-!', sees: '-s' },
        { from: '-------^', sees: '--------s---#' },
      ],
      requests: ['^----!', '-------^----!'],
    },
    {
      name: 'keeps no answer that is whole while nobody is there',
      source: '-s--f|',
      options: { graceMs: 9 },
      subscribers: [
        { from: '^-!', sees: '-s' },
        { from: '-------^', sees: '--------s--f|' },
      ],
      requests: ['^----!', '-------^----!'],
    },
  ])('$name', (row) => {
    expectShared(row);
  });
});

describe('keepMs', () => {
  it.each<Case>([
    {
      name: 'keeps a whole answer for those who come later, from its end',
      source: '-sab-f|',
      options: { keepMs: 10 },
      subscribers: [
        { from: '^', sees: '-sab-f|' },
        { from: '--------^', sees: '--------(s2f|)' },
        { from: '---------------^', sees: '---------------(s2f|)' },
        { from: '-----------------^', sees: '------------------sab-f|' },
      ],
      requests: ['^-----!', '-----------------^-----!'],
    },
    {
      name: 'keeps an answer that has become whole while nobody was there',
      source: '-sab-f|',
      options: { graceMs: 9, keepMs: 10 },
      subscribers: [
        { from: '^-!', sees: '-s' },
        { from: '--------^', sees: '--------(s2f|)' },
      ],
      requests: ['^-----!'],
    },
    {
      name: 'keeps no error',
      source: '-s#',
      options: { keepMs: 10 },
      subscribers: [
        { from: '^', sees: '-s#' },
        { from: '----^', sees: '-----s#' },
      ],
      requests: ['^-!', '----^-!'],
    },
    {
      name: 'keeps no answer that its last subscriber left before the end',
      source: '-sab-f|',
      options: { keepMs: 10 },
      subscribers: [
        { from: '^--!', sees: '-sa-' },
        { from: '----^', sees: '-----sab-f|' },
      ],
      requests: ['^--!', '----^-----!'],
    },
    {
      name: 'keeps an empty answer',
      source: '|',
      options: { keepMs: 10 },
      subscribers: [
        { from: '^', sees: '|' },
        { from: '--^', sees: '--|' },
      ],
      requests: ['(^!)'],
    },
    {
      name: 'may be without end',
      source: 'sf|',
      options: { keepMs: Number.POSITIVE_INFINITY },
      subscribers: [
        { from: '^', sees: 'sf|' },
        { from: '- 60s ^', sees: '- 60s (sf|)' },
      ],
      requests: ['^-!'],
    },
  ])('$name', (row) => {
    expectShared(row);
  });
});
