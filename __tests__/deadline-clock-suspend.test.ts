import { DeadlineClock } from '../src/deadline-clock.ts';
import { HandClock } from './support/client.ts';

interface Watched {
  readonly scheduler: HandClock;
  readonly clock: DeadlineClock;
  readonly expired: (readonly [name: string, afterMs: number, at: number])[];
}

/** A clock that watches for output within 100 ms. */
function start(): Watched {
  const scheduler = new HandClock();
  const expired: (readonly [string, number, number])[] = [];
  const clock = new DeadlineClock(scheduler, (name, afterMs) => expired.push([name, afterMs, scheduler.now()]));
  clock.watch('output', 100);
  return { scheduler, clock, expired };
}

/** Nothing expires until one millisecond before; then it does, once, and no timer is left. */
function expectExpiry({ scheduler, clock, expired }: Watched, afterMs: number, name = 'output', periodMs = 100): void {
  expect(clock.leftMs).toBe(afterMs);
  scheduler.advance(afterMs - 1);
  expect(expired).toEqual([]);
  scheduler.advance(1);
  expect(expired).toEqual([[name, periodMs, scheduler.now()]]);
  scheduler.advance(10_000);
  expect(expired).toHaveLength(1);
  expect(scheduler.pending).toBe(0);
}

describe('a deadline that is suspended', () => {
  it('goes on with what was left, by its own name and period', () => {
    const watched = start();
    const { scheduler, clock, expired } = watched;
    scheduler.advance(60);
    clock.suspend();
    scheduler.advance(10_000);
    expect(expired).toEqual([]);
    clock.resume();
    expectExpiry(watched, 40);
  });

  it('and resumed many times loses no more than the time between', () => {
    const watched = start();
    const { scheduler, clock } = watched;
    for (let spell = 0; spell < 9; spell++) {
      scheduler.advance(10);
      clock.suspend();
      scheduler.advance(1000);
      clock.resume();
    }
    expectExpiry(watched, 10);
  });

  it('twice is suspended since the first time', () => {
    const watched = start();
    const { scheduler, clock } = watched;
    scheduler.advance(60);
    clock.suspend();
    scheduler.advance(30);
    clock.suspend();
    scheduler.advance(1000);
    clock.resume();
    expectExpiry(watched, 40);
  });

  it('is resumed by the first resume: another changes nothing', () => {
    const watched = start();
    const { scheduler, clock } = watched;
    scheduler.advance(60);
    clock.suspend();
    clock.resume();
    scheduler.advance(30);
    clock.resume();
    expectExpiry(watched, 10);
  });

  it('with nothing left expires when it is resumed, not before', () => {
    const { scheduler, clock, expired } = start();
    clock.suspend(100);
    scheduler.advance(500);
    expect(expired).toEqual([]);
    expect(clock.leftMs).toBe(0);
    clock.resume();
    scheduler.advance(0);
    expect(expired).toEqual([['output', 100, 500]]);
    expect(scheduler.pending).toBe(0);
  });

  it('too late owes nothing from before: no time is left, but no less than none', () => {
    const { scheduler, clock, expired } = start();
    clock.suspend(150);
    expect(clock.leftMs).toBe(0);
    clock.resume(150);
    scheduler.advance(149);
    expect(expired).toEqual([]);
    scheduler.advance(1);
    expect(expired).toEqual([['output', 100, 150]]);
  });

  it('takes the time from who has looked at it already', () => {
    const watched = start();
    const { scheduler, clock } = watched;
    scheduler.advance(50);
    clock.suspend(30);
    expect(clock.leftMs).toBe(70);
    clock.resume(40);
    expectExpiry(watched, 60);
  });

  it('costs no timer if it is resumed before the timer fires', () => {
    const { scheduler, clock } = start();
    const schedule = jest.spyOn(scheduler, 'schedule');
    for (let read = 0; read < 99; read++) {
      clock.suspend();
      scheduler.frame += 1;
      clock.resume();
    }
    expect(schedule).not.toHaveBeenCalled();
    expect(scheduler.pending).toBe(1);
    expect(clock.leftMs).toBe(100);
  });
});

describe('a resume', () => {
  it('without a suspend changes nothing', () => {
    const watched = start();
    const { scheduler, clock } = watched;
    scheduler.advance(60);
    clock.resume();
    expectExpiry(watched, 40);
  });

  it('before anything was watched for, sets nothing', () => {
    const scheduler = new HandClock();
    const clock = new DeadlineClock(scheduler, () => undefined);
    clock.suspend();
    clock.resume();
    expect(clock.leftMs).toBeUndefined();
    expect(scheduler.pending).toBe(0);
  });

  it.each<[string, (clock: DeadlineClock) => void]>([
    [
      'a pause',
      (clock) => {
        clock.pause();
      },
    ],
    [
      'a watch without limit',
      (clock) => {
        clock.watch('output', undefined);
      },
    ],
    [
      'a stop',
      (clock) => {
        clock.stop();
      },
    ],
  ])('after %s brings nothing back', (_, end) => {
    const { scheduler, clock, expired } = start();
    clock.suspend();
    end(clock);
    clock.resume();
    expect(clock.leftMs).toBeUndefined();
    scheduler.advance(10_000);
    expect(expired).toEqual([]);
    expect(scheduler.pending).toBe(0);
  });

  it('after the expiry brings nothing back', () => {
    const { scheduler, clock, expired } = start();
    scheduler.advance(100);
    clock.suspend();
    clock.resume();
    scheduler.advance(10_000);
    expect(expired).toHaveLength(1);
    expect(clock.leftMs).toBeUndefined();
    expect(scheduler.pending).toBe(0);
  });
});

describe('a stop', () => {
  it('of what is suspended leaves no timer', () => {
    const { scheduler, clock } = start();
    clock.suspend();
    clock.stop();
    expect(scheduler.pending).toBe(0);
    clock.suspend();
    clock.resume();
    expect(scheduler.pending).toBe(0);
  });
});

describe('a watch', () => {
  it('after a suspend begins anew, and what was left is forgotten', () => {
    const watched = start();
    const { scheduler, clock } = watched;
    scheduler.advance(60);
    clock.suspend();
    scheduler.advance(1000);
    clock.watch('idle', 30);
    clock.resume();
    expectExpiry(watched, 30, 'idle', 30);
  });

  it('takes the time from who has looked at it already', () => {
    const watched = start();
    watched.scheduler.advance(50);
    watched.clock.watch('idle', 100, 20);
    expectExpiry(watched, 70, 'idle');
  });
});

describe('the time that is left', () => {
  it('is none before a watch, shrinks, stands still while suspended, and is none after the end', () => {
    const { scheduler, clock } = start();
    expect(new DeadlineClock(scheduler, () => undefined).leftMs).toBeUndefined();
    expect(clock.leftMs).toBe(100);
    scheduler.advance(60);
    expect(clock.leftMs).toBe(40);
    clock.suspend();
    expect(clock.leftMs).toBe(40);
    scheduler.advance(1000);
    expect(clock.leftMs).toBe(40);
    clock.resume();
    scheduler.advance(39);
    expect(clock.leftMs).toBe(1);
    scheduler.advance(1);
    expect(clock.leftMs).toBeUndefined();
  });

  it.each(['pause', 'stop'] as const)('is none after a %s', (end) => {
    const { clock } = start();
    clock[end]();
    expect(clock.leftMs).toBeUndefined();
  });
});
