import { from, type Observable } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { measure, type MeasureObserver, type MeasureOptions } from '../../src/operators/measure.ts';
import { thrownBy } from '../support/client.ts';
import { EVENTS, inOrder, seenBy } from '../support/events.ts';

describe('what measure is given', () => {
  it('may be nothing', () => {
    const events = inOrder('sabu');
    const seen = (result$: Observable<CompletionEvent>): unknown => expect(seenBy(result$)).toEqual([...events, '|']);
    seen(from(events).pipe(measure({})));
    seen(from(events).pipe(measure({ firstOutput: undefined, output: undefined, end: undefined })));
    seen(from(events).pipe(measure({}, { scheduler: undefined })));
    expect(seenBy(from(events).pipe(measure({})))[0]).toBe(EVENTS.s);
  });

  it.each<[string, unknown, unknown]>([
    ['ends', { ends: () => undefined }, {}],
    ['observer', { end: 'x' }, {}],
    ['observer', { output: null }, {}],
    ['observer', { firstOutput: 1 }, {}],
    ['observer', undefined, {}],
    ['observer', null, {}],
    ['observer', () => undefined, {}],
    ['options', {}, null],
    ['clock', {}, { clock: { now: () => 1 } }],
    ['scheduler', {}, { scheduler: { now: () => 1 } }],
    ['scheduler', {}, { scheduler: Date.now }],
    ['scheduler', {}, { scheduler: null }],
  ])('is refused by name when it is made: %s', (param, observer, options) => {
    const error = thrownBy(() => measure(observer as MeasureObserver, options as MeasureOptions));
    expect(error).toMatchObject({ kind: 'configuration', param });
  });

  it('is called as the methods it has, and may have fields of its own', () => {
    class Times {
      readonly unit = 'ms';
      readonly #told: string[] = [];
      get told(): readonly string[] {
        return this.#told;
      }
      firstOutput(): void {
        this.#told.push('first');
      }
      output(): void {
        this.#told.push('output');
      }
      end(): void {
        this.#told.push('end');
      }
    }
    const times = new Times();
    expect(seenBy(from(inOrder('ab')).pipe(measure(times)))).toEqual([EVENTS.a, EVENTS.b, '|']);
    expect(times.told).toEqual(['first', 'output', 'end']);
  });
});
