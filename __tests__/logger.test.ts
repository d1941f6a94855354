import { LOG_LEVELS, levelledLogger, type Logger, type LogLevel } from '../src/logger.ts';

function recorder(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const record =
    (level: string) =>
    (message: string): void => {
      lines.push(`${level} ${message}`);
    };
  return { lines, error: record('error'), warn: record('warn'), info: record('info'), debug: record('debug') };
}

function logAll(logger: Logger): void {
  logger.error('a');
  logger.warn('b');
  logger.info('c');
  logger.debug('d');
}

describe('a logger', () => {
  it.each<[LogLevel, readonly string[]]>([
    ['off', []],
    ['error', ['error a']],
    ['warn', ['error a', 'warn b']],
    ['info', ['error a', 'warn b', 'info c']],
    ['debug', ['error a', 'warn b', 'info c', 'debug d']],
  ])('of level %s passes on that and what is graver', (level, lines) => {
    const target = recorder();
    logAll(levelledLogger(target, level));
    expect(target.lines).toEqual(lines);
  });

  it('knows its levels in their order', () => {
    expect(LOG_LEVELS).toEqual(['off', 'error', 'warn', 'info', 'debug']);
  });

  it('survives a target that throws, and goes on', () => {
    const target = recorder();
    const failing = {
      ...target,
      error: () => {
        throw new Error('disk full');
      },
    };
    expect(() => {
      logAll(levelledLogger(failing, 'debug'));
    }).not.toThrow();
    expect(target.lines).toEqual(['warn b', 'info c', 'debug d']);
  });

  it('calls the methods of a class on their object', () => {
    class Target {
      readonly lines: string[] = [];
      error(message: string): void {
        this.lines.push(message);
      }
      warn = this.error.bind(this);
      info = this.error.bind(this);
      debug = this.error.bind(this);
    }
    const target = new Target();
    logAll(levelledLogger(target, 'error'));
    expect(target.lines).toEqual(['a']);
  });

  it('asks its target each time: a method replaced later counts', () => {
    const target = { ...recorder() };
    const logger = levelledLogger(target, 'info');
    const later = recorder();
    Object.assign(target, later);
    logger.info('x');
    expect(later.lines).toEqual(['info x']);
  });
});
