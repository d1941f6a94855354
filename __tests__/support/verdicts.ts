import { compile, settings } from './compile.ts';

/** Strict, with the sources as they are. */
const OPTIONS = settings({
  module: 'nodenext',
  lib: ['ES2022', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'],
  types: [],
  allowImportingTsExtensions: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
});

/** Statements behind the imports they need, by what they show. */
export interface Verdicts {
  readonly imports: string;
  readonly accepted: Readonly<Record<string, string>>;
  /** With the one error that the compiler must find. */
  readonly refused: Readonly<Record<string, readonly [string, RegExp]>>;
}

/** What the compiler says of each statement, as tests. `directory`: the one whose relative imports hold. */
export function describeVerdicts(directory: string, { imports, accepted, refused }: Verdicts): void {
  const codes: readonly (readonly [string, string])[] = [
    ...Object.entries(accepted),
    ...Object.entries(refused).map(([name, [code]]) => [name, code] as const),
  ];
  const { errors } = compile(
    directory,
    Object.fromEntries(codes.map(([, code], place) => [`${place}.mts`, `${imports}\n${code};\nexport {};`])),
    OPTIONS,
  );
  const errorsOf = (name: string): readonly string[] | undefined =>
    errors[`${codes.findIndex(([each]) => each === name)}.mts`];

  describe('the compiler accepts', () => {
    it.each(Object.keys(accepted))('%s', (name) => {
      expect(errorsOf(name)).toEqual([]);
    });

    it('and finds nothing wrong elsewhere', () => {
      expect(errors['elsewhere']).toEqual([]);
    });
  });

  describe('the compiler refuses', () => {
    it.each(Object.entries(refused))('%s', (name, [, error]) => {
      expect(errorsOf(name)).toEqual([expect.stringMatching(error)]);
    });
  });
}
