/** The fields of an object that somebody else made. */
export type Fields = Record<string, unknown>;

/** Whether `value` is an object with fields: no list, not null. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
