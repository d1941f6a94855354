import { Subscription, VirtualTimeScheduler, type SchedulerAction, type SchedulerLike } from 'rxjs';
import { DeadlineClock } from '../src/deadline-clock.ts';

/** Time that is set by hand; a timer may run as late as a blocked event loop makes it. */
class ManualScheduler implements SchedulerLike {
  time = 0;
  scheduled = 0;
  readonly delays: number[] = [];
  readonly #timers = new Set<{ readonly dueAt: number; readonly work: () => void }>();

  now(): number {
    return this.time;
  }

  get pending(): number {
    return this.#timers.size;
  }

  schedule<T>(work: (this: SchedulerAction<T>, state: T) => void, delay = 0): Subscription {
    const timer = {
      dueAt: this.time + delay,
      work: () => {
        work.call(undefined as never, undefined as never);
      },
    };
    this.#timers.add(timer);
    this.scheduled += 1;
    this.delays.push(delay);
    return new Subscription(() => this.#timers.delete(timer));
  }

  /** Goes to `time` and runs what is due then, once: what that sets is looked at by the next call. */
  runTo(time: number): void {
    this.time = time;
    for (const timer of [...this.#timers].filter(({ dueAt }) => dueAt <= time)) {
      this.#timers.delete(timer);
      timer.work();
    }
  }
}

interface Watched {
  readonly scheduler: ManualScheduler;
  readonly clock: DeadlineClock;
  readonly expired: (readonly [string, number, number])[];
}

function start(): Watched {
  const scheduler = new ManualScheduler();
  const expired: (readonly [string, number, number])[] = [];
  const clock = new DeadlineClock(scheduler, (name, afterMs) => expired.push([name, afterMs, scheduler.time]));
  return { scheduler, clock, expired };
}

describe('a deadline', () => {
  it('expires once, at its time, with its name', () => {
    const { scheduler, clock, expired } = start();
    clock.watch('connect', 100);
    scheduler.runTo(99);
    expect(expired).toEqual([]);
    scheduler.runTo(100);
    expect(expired).toEqual([['connect', 100, 100]]);
    scheduler.runTo(1000);
    expect(expired).toHaveLength(1);
    expect(scheduler.pending).toBe(0);
  });

  it('that is renewed expires after the last time, by its own clock', () => {
    const { scheduler, clock, expired } = start();
    clock.watch('connect', 100);
    scheduler.runTo(60);
    clock.watch('idle', 50);
    scheduler.runTo(90);
    clock.watch('idle', 50);
    scheduler.runTo(100);
    scheduler.runTo(139);
    expect(expired).toEqual([]);
    scheduler.runTo(140);
    expect(expired).toEqual([['idle', 50, 140]]);
  });

  it('that is replaced by a nearer one expires at the nearer', () => {
    const { scheduler, clock, expired } = start();
    clock.watch('connect', 1000);
    clock.watch('idle', 10);
    expect(scheduler.pending).toBe(1);
    scheduler.runTo(10);
    expect(expired).toEqual([['idle', 10, 10]]);
    expect(scheduler.pending).toBe(0);
  });

  it('costs one timer, not one a renewal', () => {
    const { scheduler, clock, expired } = start();
    for (let time = 0; time < 50_000; time++) {
      scheduler.time = time;
      clock.watch('idle', 120_000);
    }
    expect(scheduler.scheduled).toBe(1);
    scheduler.runTo(120_000);
    expect(scheduler.scheduled).toBe(2);
    expect(expired).toEqual([]);
    scheduler.runTo(49_999 + 120_000);
    expect(expired).toHaveLength(1);
  });

  it('of undefined is no deadline, and ends the one before', () => {
    const { scheduler, clock, expired } = start();
    clock.watch('connect', undefined);
    expect(scheduler.scheduled).toBe(0);
    clock.watch('connect', 100);
    clock.watch('idle', undefined);
    scheduler.runTo(1000);
    expect(expired).toEqual([]);
  });

  it('may be longer than a timer can be', () => {
    const { scheduler, clock, expired } = start();
    const month = 31 * 24 * 3600 * 1000;
    clock.watch('idle', month);
    expect(scheduler.delays).toEqual([0x7fffffff]);
    scheduler.runTo(0x7fffffff);
    expect(expired).toEqual([]);
    expect(scheduler.delays).toEqual([0x7fffffff, month - 0x7fffffff]);
    scheduler.runTo(month);
    expect(expired).toEqual([['idle', month, month]]);
  });
});

describe('a pause', () => {
  it('lets nothing expire, and the next watch begins from its own time', () => {
    const { scheduler, clock, expired } = start();
    clock.watch('idle', 100);
    scheduler.runTo(90);
    clock.pause();
    scheduler.runTo(100);
    scheduler.runTo(500);
    expect(expired).toEqual([]);
    clock.watch('idle', 100);
    scheduler.runTo(599);
    expect(expired).toEqual([]);
    scheduler.runTo(600);
    expect(expired).toEqual([['idle', 100, 600]]);
  });

  it('that is over before the timer fires costs no timer', () => {
    const { scheduler, clock } = start();
    clock.watch('idle', 100);
    clock.pause();
    clock.watch('idle', 100);
    expect(scheduler.scheduled).toBe(1);
  });
});

describe('a timer that comes late', () => {
  it('looks a second time, so that what has long arrived can be read first', () => {
    const { scheduler, clock, expired } = start();
    clock.watch('idle', 100);
    scheduler.runTo(151);
    expect(expired).toEqual([]);
    expect(scheduler.delays).toEqual([100, 1]);
    clock.watch('idle', 100);
    scheduler.runTo(152);
    scheduler.runTo(250);
    expect(expired).toEqual([]);
    scheduler.runTo(251);
    expect(expired).toEqual([['idle', 100, 251]]);
  });

  it('expires at the second look, however late that is', () => {
    const { scheduler, clock, expired } = start();
    clock.watch('idle', 100);
    scheduler.runTo(1000);
    expect(expired).toEqual([]);
    scheduler.runTo(5000);
    expect(expired).toEqual([['idle', 100, 5000]]);
    expect(scheduler.pending).toBe(0);
  });

  it('gets its second look again after each renewal', () => {
    const { scheduler, clock, expired } = start();
    clock.watch('idle', 100);
    scheduler.runTo(1000);
    clock.watch('idle', 100);
    scheduler.runTo(1001);
    scheduler.runTo(2000);
    expect(expired).toEqual([]);
    scheduler.runTo(2001);
    expect(expired).toHaveLength(1);
  });

  it('because next took so long finds what was left when next returns', () => {
    const { scheduler, clock, expired } = start();
    clock.watch('output', 100);
    scheduler.time = 60;
    clock.suspend();
    scheduler.time = 1000;
    clock.resume();
    scheduler.runTo(1000);
    expect(expired).toEqual([]);
    expect(scheduler.delays).toEqual([100, 40]);
    scheduler.runTo(1039);
    expect(expired).toEqual([]);
    scheduler.runTo(1040);
    expect(expired).toEqual([['output', 100, 1040]]);
  });

  it('gets its second look after a resume too', () => {
    const { scheduler, clock, expired } = start();
    clock.watch('output', 100);
    scheduler.runTo(1000);
    clock.suspend();
    clock.resume();
    scheduler.runTo(1100);
    expect(expired).toEqual([]);
    scheduler.runTo(1101);
    expect(expired).toEqual([['output', 100, 1101]]);
  });

  it('by no more than a busy moment is not late', () => {
    const { scheduler, clock, expired } = start();
    clock.watch('idle', 100);
    scheduler.runTo(150);
    expect(expired).toHaveLength(1);
  });
});

describe('a stop', () => {
  it('leaves no timer', () => {
    const { scheduler, clock, expired } = start();
    clock.stop();
    clock.watch('idle', 100);
    clock.stop();
    expect(scheduler.pending).toBe(0);
    scheduler.runTo(1000);
    expect(expired).toEqual([]);
  });

  it('from inside the expiry is fine', () => {
    const scheduler = new ManualScheduler();
    const clock: DeadlineClock = new DeadlineClock(scheduler, () => {
      clock.stop();
    });
    clock.watch('idle', 100);
    scheduler.runTo(100);
    expect(scheduler.pending).toBe(0);
  });
});

it('runs on the virtual time of RxJS', () => {
  const scheduler = new VirtualTimeScheduler();
  const expired: (readonly [string, number])[] = [];
  const clock = new DeadlineClock(scheduler, (name) => expired.push([name, scheduler.now()]));
  clock.watch('connect', 240_000);
  scheduler.schedule(() => {
    clock.watch('idle', 120_000);
  }, 200_000);
  scheduler.flush();
  expect(expired).toEqual([['idle', 320_000]]);
});
