import { concat, from, of, Subject, take, throwError } from 'rxjs';
import { CompletionError, type CompletionErrorDetails } from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { thrownBy } from '../support/client.ts';
import { CAUSE, EVENTS, inOrder, marbles, seenBy, seenByLeaver, synchronous } from '../support/events.ts';
import { errorFields, fieldsOf, VALUES } from './failures.ts';

/** An error that can be told from others by its message: equality passes over the other fields of an error in an error. */
const lost = (code: string, details: Partial<CompletionErrorDetails> = {}): CompletionError =>
  new CompletionError(`${code} is lost`, { kind: 'connection', retryable: true, code, ...details });

const ERROR_A = lost('A');
const ERROR_B = lost('B');

describe('the subscribers of fallbackTo', () => {
  it('may leave while the source runs, or another', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('---#', EVENTS, ERROR_A);
      const other = cold('--a--b|', EVENTS);
      const result = source.pipe(fallbackTo([other]));
      expectObservable(result, '^-!').toBe('---');
      expectObservable(result, '^------!').toBe('-----a-', VALUES);
      expectSubscriptions(source.subscriptions).toBe(['^-!', '^--!']);
      expectSubscriptions(other.subscriptions).toBe(['---^---!']);
    });
  });

  it('begin with the source, each', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const sources = [cold('-#', EVENTS, ERROR_A), cold('-#', EVENTS, ERROR_B)] as const;
      const result = sources[0].pipe(fallbackTo([sources[1]]), errorFields());
      const error = fieldsOf(lost('B', { attempts: 2, previous: [ERROR_A] }));
      expectObservable(result).toBe('--#', VALUES, error);
      expectObservable(result, '-^').toBe('---#', VALUES, error);
      expectObservable(result, '-----^').toBe('-------#', VALUES, error);
      expectSubscriptions(sources[0].subscriptions).toBe(['^!', '-^!', '-----^!']);
      expectSubscriptions(sources[1].subscriptions).toBe(['-^!', '--^!', '------^!']);
    });
  });

  it('take no more of a synchronous source than they want', () => {
    const first = synchronous(inOrder('slab'));
    const later = synchronous(inOrder('slab'));
    const fallen$ = throwError(() => ERROR_A).pipe(fallbackTo([later.source$]));
    expect(seenBy(first.source$.pipe(fallbackTo([later.source$]), take(3)))).toEqual([...inOrder('sla'), '|']);
    expect(first.said).toEqual(inOrder('sla'));
    expect(later.said).toEqual([]);
    expect(seenBy(fallen$.pipe(take(1)))).toEqual([VALUES[2], '|']);
    expect(seenByLeaver(fallen$)).toEqual([VALUES[2]]);
    expect(later.said).toEqual(inOrder('slasla'));
  });

  it('may let the source say more from inside next', () => {
    const source = new Subject<string>();
    const seen: string[] = [];
    source.pipe(fallbackTo(['z'])).subscribe((value) => {
      seen.push(value);
      if (value === 'a') source.next('b');
    });
    source.next('a');
    expect(seen).toEqual(['a', 'b']);
  });

  it('get no other source when they leave while it is decided', () => {
    const other = synchronous(['z']);
    const source = new Subject<string>();
    const when = (): boolean => {
      subscription.unsubscribe();
      return true;
    };
    const subscription = source.pipe(fallbackTo([other.source$], { when })).subscribe();
    source.error(ERROR_A);
    expect(other.said).toEqual([]);
  });

  it('get what when() throws', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const [source, other] = [cold<CompletionEvent>('s-#', EVENTS, ERROR_A), cold<CompletionEvent>('a|', EVENTS)];
      const when = (): boolean => {
        throw CAUSE;
      };
      expectObservable(source.pipe(fallbackTo([other], { when }))).toBe('--#', VALUES, CAUSE);
      expectSubscriptions(source.subscriptions).toBe('^-!');
      expectSubscriptions(other.subscriptions).toBe([]);
    });
  });

  it('get the error of a synchronous source after its output', () => {
    const failing$ = concat(
      from(['a']),
      throwError(() => ERROR_A),
    );
    expect(seenBy(failing$.pipe(fallbackTo(['z'])))).toEqual(['a', ERROR_A]);
  });
});

describe('the arguments of fallbackTo', () => {
  it.each([undefined, null, 'abc', of('a'), new Set(['a']), {}])('are refused without a list: %p', (others) => {
    const error = thrownBy(() => fallbackTo(others as never));
    expect(error).toMatchObject({
      kind: 'configuration',
      param: 'others',
      message: 'fallbackTo: others must be a list of sources',
    });
  });

  it.each<[string, unknown, RegExp]>([
    ['when', true, /^when must be a function$/],
    ['afterOutput', 'always', /^afterOutput must be 'never' or 'restart'$/],
    ['afterOutputs', 'never', /^Unknown option afterOutputs of fallbackTo; did you mean afterOutput\?$/],
  ])('are checked at once: %s %p', (name, value, message) => {
    const error = thrownBy(() => fallbackTo([], { [name]: value }));
    expect(error.message).toMatch(message);
    expect(error.kind).toBe('configuration');
  });

  it('may be undefined one by one', () => {
    const result$ = throwError(() => CAUSE).pipe(fallbackTo(['z'], { when: undefined, afterOutput: undefined }));
    expect(seenBy(result$)).toEqual(['z', '|']);
  });

  it.each([null, 5, []])('are options in an object: %p', (options) => {
    const error = thrownBy(() => fallbackTo([], options as never));
    expect(error.message).toBe('The options of fallbackTo must be an object');
  });
});
