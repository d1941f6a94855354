import { tool } from 'rxjs-openai';

const DEGREES: Readonly<Record<string, number>> = { oslo: -4, cairo: 24, berlin: 9 };

/** Runs in the page: the model asks for it, the user allows it. */
export const weather = tool<{ city: string }>({
  name: 'weather',
  description: 'The weather of a city right now',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  execute: ({ city }) => `${city}: ${String(DEGREES[city.toLowerCase()] ?? 12)} °C, dry`,
});
