import { answer, connectionFailure, fakeTransport, httpError, silence } from '../../src/testing/index.ts';
import { OpenAIChatCompletion } from '../../src/index.ts';
import { errorOf, thrownBy } from '../support/client.ts';

const refused = (script: unknown, options?: object) => thrownBy(() => fakeTransport(script as never, options));

describe('a script that cannot be meant', () => {
  it.each([
    ['Hello', 'the script must be a list of exchanges'],
    [{ ...answer('a') }, 'the script must be a list of exchanges'],
    [undefined, 'the script must be a list of exchanges'],
    [[undefined], 'script[0] must be an exchange'],
    [['Hello'], 'script[0] must be an exchange'],
    [[answer(), { type: 'anser' }], 'script[1] must be an exchange'],
    [[{ ...answer(), status: 500 }], 'Unknown option status of script[0]'],
    [[{ ...silence(), afterMs: 5 }], 'Unknown option afterMs of script[0]'],
    [[{ ...answer(), headers: { 'x y': '1' } }], 'script[0].headers'],
    [[{ ...answer(), headersAfterMs: -1 }], 'script[0].headersAfterMs must be a number, at least 0'],
    [[{ type: 'answer' }], 'script[0].steps must be a list'],
    [[answer('a', { txt: 'b' } as object)], 'Unknown option txt of script[0].steps[1]; did you mean text?'],
    [[answer(7 as never)], 'The options of script[0].steps[0] must be an object'],
    [[answer({ afterMs: -1 })], 'script[0].steps[0].afterMs must be a number, at least 0'],
    [[answer({ choice: 0.5 })], 'script[0].steps[0].choice must be a whole number, at least 0'],
    [[answer({ end: 'cut' as never })], "script[0].steps[0].end must be 'done', 'close', 'reset' or 'hang'"],
    [[answer({ end: 'close' }, 'a')], 'script[0].steps[0] ends the answer: nothing may follow it'],
    [[httpError(200)], 'script[0].status must be a status from 300 to 599'],
    [[httpError(undefined as never)], 'script[0].status must be a status from 300 to 599'],
    [[httpError(503, { afterMs: Number.NaN })], 'script[0].afterMs must be a number, at least 0'],
    [[connectionFailure({ afterMs: -1 })], 'script[0].afterMs must be a number, at least 0'],
    [[connectionFailure({ cod: 'x' } as object)], 'Unknown option cod of script[0]; did you mean code?'],
  ])('%j is refused when the transport is made', (script, message) => {
    const error = refused(script);
    expect(error.kind).toBe('configuration');
    expect(error.message).toContain(message);
  });

  it('is refused when its function returns it', async () => {
    const chat = new OpenAIChatCompletion({ transport: fakeTransport(() => 'Hello' as never) });
    expect(await errorOf(chat.stream$('Hi'))).toMatchObject({
      kind: 'configuration',
      message: 'What the script returns must be an exchange: answer(…), httpError(…), connectionFailure() or silence()',
    });
  });

  it('is an answer of bytes among other steps to a request that is not streamed', async () => {
    const exchange = answer('a', { bytes: ': keep-alive\n\n' });
    const chat = new OpenAIChatCompletion({ transport: fakeTransport([exchange]) });
    const error = await errorOf(chat.generate$('Hi'));
    expect(error).toMatchObject({ kind: 'configuration' });
    expect(error.message).toContain('use bytes alone, or none');
  });
});

describe('a piece of a tool call that nothing began', () => {
  it('is refused when it is due to be composed, and by verify', async () => {
    const transport = fakeTransport([
      answer({ choice: 1, toolCall: { name: 'f' } }, { toolCall: { arguments: '{}' } }),
    ]);
    const chat = new OpenAIChatCompletion({ transport });
    const error = await errorOf(chat.stream$('Hi'));
    expect(error).toMatchObject({ kind: 'configuration', message: expect.stringContaining('there is none') as string });
    expect(transport.requests).toMatchObject([{ outcome: 'unanswered' }]);
    expect(() => {
      transport.verify();
    }).toThrow('there is none');
  });
});

describe('options of fakeTransport', () => {
  it('are checked', () => {
    expect(refused([], { sheduler: undefined }).message).toContain('did you mean scheduler?');
    expect(refused([], { scheduler: {} }).message).toContain('scheduler');
  });
});
