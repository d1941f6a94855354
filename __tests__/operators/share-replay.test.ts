import fc from 'fast-check';
import type { ChatCompletion } from 'openai/resources/chat/completions';
import { filter, Subject, take, takeUntil, type Observable } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { accumulate, type CompletionSnapshot } from '../../src/operators/accumulate.ts';
import { collect } from '../../src/operators/collect.ts';
import { shareCompletion } from '../../src/operators/share.ts';
import { answers, ownFields } from '../events/answers.ts';
import { eventsOf } from '../support/chunks.ts';
import { CAUSE, EVENTS, inOrder, seenBy, synchronous } from '../support/events.ts';

/** A source that says what the test tells it to, its shared twin, and how often it was asked. */
function talking(): { readonly source: Subject<CompletionEvent>; readonly shared$: Observable<CompletionEvent> } {
  const source = new Subject<CompletionEvent>();
  return { source, shared$: source.pipe(shareCompletion()) };
}

const ab: CompletionEvent = { type: 'text-delta', choice: 0, text: 'ab' };

describe('one who joins inside next of the first', () => {
  it('has that event in the replay, and once', () => {
    const { source, shared$ } = talking();
    const joined: unknown[][] = [];
    const first: CompletionEvent[] = [];
    shared$.subscribe((event) => {
      first.push(event);
      joined.push(seenBy(shared$));
    });
    for (const event of inOrder('sabfu')) source.next(event);
    source.complete();
    expect(first).toEqual(inOrder('sabfu'));
    expect(joined).toEqual([
      [...inOrder('sabfu'), '|'],
      [...inOrder('sabfu'), '|'],
      [EVENTS.s, ab, ...inOrder('fu'), '|'],
      [EVENTS.s, ab, ...inOrder('fu'), '|'],
      [EVENTS.s, ab, ...inOrder('fu'), '|'],
    ]);
  });

  it('has it once also when the source is synchronous', () => {
    const { source$ } = synchronous(inOrder('sabf'));
    const shared$ = source$.pipe(shareCompletion());
    let joined: unknown[] = [];
    shared$.subscribe((event) => {
      if (event === EVENTS.a) joined = seenBy(shared$);
    });
    expect(joined).toEqual([...inOrder('sabf'), '|']);
  });

  it('has it before those that joined earlier, and they have it once', () => {
    const { source, shared$ } = talking();
    const log: string[] = [];
    const told = (name: string) => (event: CompletionEvent) => log.push(`${name} ${event.type}`);
    const join = (name: string): unknown => shared$.subscribe(told(name));
    shared$.pipe(filter((event) => event === EVENTS.a)).subscribe(() => join('third'));
    join('second');
    source.next(EVENTS.s);
    source.next(EVENTS.a);
    expect(log).toEqual(['second start', 'third start', 'third text-delta', 'second text-delta']);
  });

  it('sees nothing of what a restart has withdrawn, nor the restart', () => {
    const { source, shared$ } = talking();
    let joined: unknown[] = [];
    shared$.subscribe((event) => {
      if (event === EVENTS.R) joined = seenBy(shared$);
    });
    for (const event of inOrder('saRsb')) source.next(event);
    expect(joined).toEqual(inOrder('sb'));
  });
});

describe('one who joins inside next of a replay', () => {
  it('has the whole replay too, and then what follows, as all have', () => {
    const { source, shared$ } = talking();
    const seen: Record<string, CompletionEvent[]> = { first: [], second: [], third: [], fourth: [] };
    const join = (name: string, next?: string, further?: string): void => {
      let joins = next;
      shared$.subscribe((event) => {
        seen[name]?.push(event);
        const joining = joins;
        joins = undefined;
        if (joining !== undefined) join(joining, further);
      });
    };
    join('first');
    for (const event of inOrder('sab')) source.next(event);
    join('second', 'third', 'fourth');
    source.next(EVENTS.f);
    expect(seen).toEqual({
      first: inOrder('sabf'),
      second: [EVENTS.s, ab, EVENTS.f],
      third: [EVENTS.s, ab, EVENTS.f],
      fourth: [EVENTS.s, ab, EVENTS.f],
    });
  });
});

describe('what the source says while a replay is told', () => {
  /** Joins after `sa`; the source says the rest inside the first `next`. */
  function interrupted(say: (source: Subject<CompletionEvent>, shared$: Observable<CompletionEvent>) => void) {
    const { source, shared$ } = talking();
    const first = seenBy(shared$);
    for (const event of inOrder('sa')) source.next(event);
    let joined: unknown[] = [];
    const late: unknown[] = [];
    const lateTo = {
      next: (event: CompletionEvent): void => {
        late.push(event);
        if (event === EVENTS.s) say(source, shared$);
        if (event === EVENTS.b && joined.length === 0) joined = seenBy(shared$);
      },
      error: (error: unknown): void => void late.push(error),
      complete: (): void => void late.push('|'),
    };
    shared$.subscribe(lateTo);
    return { first, late, joined };
  }

  it('comes after it, once and in its order', () => {
    const { first, late, joined } = interrupted((source) => {
      for (const event of inOrder('bfu')) source.next(event);
    });
    expect(first).toEqual(inOrder('sabfu'));
    expect(late).toEqual(inOrder('sabfu'));
    expect(joined).toEqual([EVENTS.s, ab, ...inOrder('fu')]);
  });

  it('is in the replay of a third who joins meanwhile', () => {
    let third: unknown[] = [];
    const { late } = interrupted((source, shared$) => {
      source.next(EVENTS.b);
      third = seenBy(shared$);
      source.next(EVENTS.f);
    });
    expect(late).toEqual(inOrder('sabf'));
    expect(third).toEqual([EVENTS.s, ab, EVENTS.f]);
  });

  it.each<[string, (source: Subject<CompletionEvent>) => void, unknown]>([
    ['the end', (source) => source.complete(), '|'],
    ['an error', (source) => source.error(CAUSE), CAUSE],
  ])('comes after it, also %s', (_name, end, told) => {
    const { first, late } = interrupted((source) => {
      source.next(EVENTS.b);
      end(source);
    });
    expect(first).toEqual([...inOrder('sab'), told]);
    expect(late).toEqual([...inOrder('sab'), told]);
  });

  it('is told in its order even if more is said while it is told', () => {
    const { source, shared$ } = talking();
    const first = seenBy(shared$);
    source.next(EVENTS.s);
    source.next(EVENTS.a);
    const late: CompletionEvent[] = [];
    shared$.subscribe((event) => {
      late.push(event);
      if (event === EVENTS.s) for (const more of inOrder('bf')) source.next(more);
      if (event === EVENTS.b) source.next(EVENTS.u);
    });
    expect(late).toEqual(inOrder('sabfu'));
    expect(first).toEqual(inOrder('sabfu'));
  });
});

describe('one who leaves while a replay is told', () => {
  it('hears no more, and is not waited for', () => {
    const { source, shared$ } = talking();
    const first = shared$.subscribe();
    for (const event of inOrder('sabf')) source.next(event);
    expect(seenBy(shared$.pipe(take(1)))).toEqual([EVENTS.s, '|']);
    const seen: CompletionEvent[] = [];
    const left$ = new Subject<void>();
    shared$.pipe(takeUntil(left$)).subscribe((event) => {
      seen.push(event);
      source.next(EVENTS.u);
      left$.next();
    });
    expect(seen).toEqual(inOrder('s'));
    expect(source.observed).toBe(true);
    first.unsubscribe();
    expect(source.observed).toBe(false);
  });

  it('ends the request if it is the last', () => {
    const { source, shared$ } = talking();
    const first = shared$.subscribe();
    for (const event of inOrder('sa')) source.next(event);
    shared$.pipe(take(1)).subscribe(() => {
      first.unsubscribe();
      expect(source.observed).toBe(true);
    });
    expect(source.observed).toBe(false);
  });
});

describe('for any answer, and whenever somebody joins,', () => {
  const moment = fc.nat({ max: 1000 });

  it('what has been accumulated is the same for all, from then on', () => {
    fc.assert(
      fc.property(answers, moment, ({ chunks }, at) => {
        const events = eventsOf(chunks);
        const joinsAfter = at % (events.length + 1);
        const { source, shared$ } = talking();
        const last: Record<string, CompletionSnapshot | undefined> = {};
        const follow = (name: string, choice: number): void =>
          void shared$.pipe(accumulate({ choice })).subscribe((snapshot) => (last[name + String(choice)] = snapshot));
        const choices = [0, 1, 2];
        for (const choice of choices) follow('first', choice);
        for (const [index, event] of events.entries()) {
          if (index === joinsAfter) for (const choice of choices) follow('late', choice);
          source.next(event);
          if (index < joinsAfter) continue;
          for (const choice of choices) expect(last[`late${choice}`]).toEqual(last[`first${choice}`]);
        }
        if (joinsAfter === events.length) for (const choice of choices) follow('late', choice);
        source.complete();
        for (const choice of choices) expect(last[`late${choice}`]).toEqual(last[`first${choice}`]);
      }),
    );
  });

  it('what has been collected is the same for all', () => {
    fc.assert(
      fc.property(answers, moment, ({ whole, chunks }, at) => {
        const events = eventsOf(chunks);
        const { source, shared$ } = talking();
        const collected: ChatCompletion[] = [];
        const follow = (): void => void shared$.pipe(collect()).subscribe((completion) => collected.push(completion));
        follow();
        for (const [index, event] of events.entries()) {
          if (index === at % (events.length + 1)) follow();
          source.next(event);
        }
        if (at % (events.length + 1) === events.length) follow();
        source.complete();
        expect(collected.map(canonical)).toEqual([canonical(whole), canonical(whole)]);
      }),
    );
  });

  it('nobody misses anything or hears it twice, wherever they join and whenever the source speaks meanwhile', () => {
    // What is done at each `next`, by whoever is told.
    const deeds = fc.array(fc.constantFrom('nothing', 'join', 'say'), { maxLength: 40 });
    fc.assert(
      fc.property(deeds, (plan) => {
        const [{ source, shared$ }, rest] = [talking(), Array.from('abcdefghijkl')];
        const all: string[][] = [];
        const deed = plan.values();
        let speaking = false;
        const say = (): void => {
          // A source does not speak inside its own next.
          const text = speaking ? undefined : rest.shift();
          if (text === undefined) return;
          speaking = true;
          source.next({ type: 'text-delta', choice: 0, text });
          speaking = false;
        };
        const join = (): void => {
          if (all.length === 8) return;
          const heard: string[] = [];
          all.push(heard);
          shared$.subscribe((event) => {
            if (event.type === 'text-delta') heard.push(event.text);
            const now = deed.next().value;
            if (now === 'join') join();
            else if (now === 'say') say();
          });
        };
        join();
        while (rest.length > 4) {
          say();
          join();
        }
        const shown = all.map((heard) => heard.join(''));
        expect(shown).toEqual(shown.map(() => 'abcdefghijkl'.slice(0, -rest.length)));
      }),
    );
  });
});

/** One spelling for equal values: names sorted, `__proto__` an own name like any other. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? ownFields(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
