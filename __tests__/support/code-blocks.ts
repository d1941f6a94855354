import { compileFunction } from 'node:vm';
import ts from 'typescript';

/** A fenced block of TypeScript in a Markdown file. */
export interface CodeBlock {
  /** The word behind `ts`, `''` if there is none. */
  readonly name: string;
  readonly code: string;
}

export function codeBlocks(markdown: string): readonly CodeBlock[] {
  const fences = markdown.replaceAll('\r\n', '\n').matchAll(/^```ts(?: +(\S+))?.*\n([^]*?)^```$/gm);
  return Array.from(fences, ([, name = '', code = '']) => ({ name, code }));
}

/** What a module exports that may import these others alone, and knows these names besides. */
export function exportsOf(
  code: string,
  modules: Readonly<Record<string, unknown>>,
  globals: Readonly<Record<string, unknown>> = {},
): Readonly<Partial<Record<string, unknown>>> {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const exported: Record<string, unknown> = {};
  const require = (name: string): unknown => {
    if (Object.hasOwn(modules, name)) return modules[name];
    throw new Error(`nothing is known of the module ${name}`);
  };
  const names = ['require', 'exports', ...Object.keys(globals)];
  const run = compileFunction(outputText, names) as (...values: readonly unknown[]) => void;
  run(require, exported, ...Object.values(globals));
  return exported;
}
