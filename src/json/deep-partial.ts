/**
 * A value that is still being written: anything may be missing, what is there is right. A text may be the beginning of one, so of
 * the texts a schema allows (`'open' | 'closed'`) it may be none yet.
 */
export type DeepPartial<T> = T extends string
  ? string
  : T extends (infer E)[]
    ? DeepPartial<E>[]
    : T extends readonly (infer E)[]
      ? readonly DeepPartial<E>[]
      : T extends object
        ? { [K in keyof T]?: DeepPartial<T[K]> }
        : T;
