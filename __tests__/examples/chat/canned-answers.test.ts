import { cannedAnswer, tokensOf } from '../../../examples/chat/canned-answers.ts';

const asked = (...prompts: readonly string[]): string =>
  cannedAnswer(
    prompts.flatMap((content) => [
      { role: 'user', content },
      { role: 'assistant', content: '…' },
    ]),
  );

describe('the answers of the embedded server', () => {
  it.each([
    ['Say this is a test!', 'This is a test!'],
    ['say "hi"', 'Hi'],
    ['Please say: ça va', 'Ça va'],
    ['Say\n\ntwo\nlines', 'Two\nlines'],
  ])('do what %j says', (prompt, answer) => {
    expect(asked(prompt)).toBe(answer);
  });

  it('say that they are canned, how to get real ones, and what was asked', () => {
    const answer = asked('What is an Observable?');
    expect(answer).toContain('“What is an Observable?”');
    expect(answer).toContain('canned answer');
    expect(answer).toContain('OPENAI_API_KEY');
  });

  it('show that the conversation is kept', () => {
    expect(asked('What is love?', 'And war?')).toContain('2 turns and began with “What is love?”');
    expect(asked('What is love?')).not.toContain('turns');
  });

  it('quote no more than a line, and cut no character in half', () => {
    expect(asked('👍'.repeat(100))).toContain(`“${'👍'.repeat(59)}…”`);
    expect(asked('two\nlines')).toContain('“two lines”');
  });

  it('come in tokens that add up to the text', () => {
    expect(tokensOf('This is a test!')).toEqual(['This', ' is', ' a', ' test', '!']);
    const text = asked('Why 👍🏽?\t\n ') + ' \n';
    expect(tokensOf(text).join('')).toBe(text);
  });
});
