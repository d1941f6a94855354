/** The name under which the text of a delta is put together. */
export const SAID_IN = {
  'text-delta': 'text',
  'reasoning-delta': 'reasoning',
  'refusal-delta': 'refusal',
} as const;
