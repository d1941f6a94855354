import { OpenAIChatCompletion } from '../src/index.ts';
import { SseDecoder } from '../src/wire/sse.ts';
it('x', () => { expect(() => new OpenAIChatCompletion()).toThrow(/API key/); expect(SseDecoder).toBeDefined(); });
