import eslint from '@eslint/js';
import rxjs from 'eslint-plugin-rxjs-x';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Rules of the presets that are changed, each with its reason. */
const adjusted = {
  // Control characters are what these expressions look for.
  'no-control-regex': 'off',
  // JavaScript callers pass what the types rule out, and unsubscribing inside `next` changes fields that the compiler
  // takes for narrowed: both checks look unnecessary to it.
  '@typescript-eslint/no-unnecessary-condition': 'off',
  '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
  // A callback may return something or nothing.
  '@typescript-eslint/no-invalid-void-type': 'off',
  // The one value that is thrown to leave a parser, and is caught in the same file.
  '@typescript-eslint/only-throw-error': [
    'error',
    { allow: [{ from: 'file', name: 'STOP', path: 'src/wire/stream-decoder.ts' }], allowRethrowing: true },
  ],
  '@typescript-eslint/consistent-type-imports': 'error',
  '@typescript-eslint/consistent-type-exports': 'error',
  // An operator passes on what its source erred with, and that may be anything.
  'rxjs-x/throw-error': 'off',
  // Contradicts no-non-null-assertion.
  '@typescript-eslint/non-nullable-type-assertion-style': 'off',
  // RxJS's EmptyError is the right answer to an Observable that promised a value.
  'rxjs-x/no-ignored-default-value': 'off',
};

/**
 * A project of its own, with packages of its own, which need not be installed here: rules that ask for types are left to its build,
 * where Angular's diagnostics are errors.
 */
const PAGE = 'examples/angular-chat/**';

export default defineConfig(
  globalIgnores(['**/dist', 'coverage', 'etc']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    ignores: [PAGE],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked, rxjs.configs.strict],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: adjusted,
  },
  {
    files: ['src/**'],
    rules: {
      'no-console': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'rxjs/operators', message: 'Import from rxjs.' },
            { name: 'openai/error', message: 'Deprecated: openai/core/error.' },
            { name: 'openai/streaming', message: 'Deprecated, and its decoder ends silently: use the wire layer.' },
          ],
        },
      ],
    },
  },
  {
    // Which file may import what is checked by __tests__/architecture.test.ts; what may be used without an import, here.
    files: ['src/**'],
    ignores: ['src/node/**'],
    rules: { 'no-restricted-globals': ['error', 'process', 'Buffer', 'require', '__dirname', '__filename', 'global'] },
  },
  {
    files: [`${PAGE}/*.ts`],
    extends: [tseslint.configs.strict, tseslint.configs.stylistic],
    rules: { '@typescript-eslint/consistent-type-imports': 'error', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['__tests__/**', 'bench/**', 'examples/**', 'scripts/**'],
    ignores: [PAGE],
    rules: {
      // What a test indexes is there, or the test fails.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Fakes are async because the real thing is.
      '@typescript-eslint/require-await': 'off',
      // Servers other than OpenAI's know max_tokens alone.
      '@typescript-eslint/no-deprecated': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      // The body of a recorded request is typed as anything fetch takes; a test reads it as the string it is.
      '@typescript-eslint/no-base-to-string': 'off',
      // An error nobody expected fails the test, or ends the program, as an uncaught one.
      'rxjs-x/no-ignored-error': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
);
