import type { JsonSchema } from 'rxjs-openai';

export interface Meeting {
  readonly title: string;
  readonly when: string;
  readonly people: readonly { readonly name: string; readonly brings: string }[];
}

/** What the answer must be; sent to the model, and held against what comes. */
export const MEETING: JsonSchema = {
  type: 'object',
  properties: {
    title: { type: 'string' },
    when: { type: 'string' },
    people: {
      type: 'array',
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, brings: { type: 'string' } },
        required: ['name', 'brings'],
        additionalProperties: false,
      },
    },
  },
  required: ['title', 'when', 'people'],
  additionalProperties: false,
};

export const EXAMPLE =
  'Launch on Tuesday at ten. Ada will bring the figures and Grace the demo; Linus comes with the keys to the hall.';
