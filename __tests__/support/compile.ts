import { join } from 'node:path';
import ts from 'typescript';

export interface Compiled {
  readonly program: ts.Program;
  /** Errors of each file given, in its order; `elsewhere` are those of files that were not given, or of none. */
  readonly errors: Readonly<Record<string, readonly string[]>>;
}

/**
 * Compiles files that exist only here as if they lay in `directory`. Errors are `TS2322: the first line of the message`.
 *
 * @param options - as in a tsconfig.json; `strict` and `noEmit` are on
 */
export function compile(
  directory: string,
  files: Readonly<Record<string, string>>,
  options: ts.CompilerOptions,
): Compiled {
  const texts = new Map(Object.entries(files).map(([name, text]) => [join(directory, name), text]));
  const settings: ts.CompilerOptions = { target: ts.ScriptTarget.ES2022, ...options, strict: true, noEmit: true };
  const host = ts.createCompilerHost(settings);
  const overlaid: ts.CompilerHost = {
    ...host,
    fileExists: (path) => texts.has(path) || host.fileExists(path),
    readFile: (path) => texts.get(path) ?? host.readFile(path),
    getSourceFile: (path, version, ...rest) => {
      const text = texts.get(path);
      return text === undefined
        ? host.getSourceFile(path, version, ...rest)
        : ts.createSourceFile(path, text, version, true);
    },
    getCurrentDirectory: () => directory,
  };
  const program = ts.createProgram({ rootNames: [...texts.keys()], options: settings, host: overlaid });
  const errors: Record<string, string[]> = { elsewhere: [] };
  for (const name of Object.keys(files)) errors[name] = [];
  for (const { file, code, messageText } of ts.getPreEmitDiagnostics(program)) {
    const name = Object.keys(files).find((each) => file?.fileName === join(directory, each));
    const message = `TS${code}: ${ts.flattenDiagnosticMessageText(messageText, '\n').split('\n')[0] ?? ''}`;
    if (name !== undefined) errors[name]?.push(message);
    else errors['elsewhere']?.push(file === undefined ? message : `${file.fileName}: ${message}`);
  }
  return { program, errors };
}

/** Options as tsconfig.json spells them. */
export function settings(json: Readonly<Record<string, unknown>>): ts.CompilerOptions {
  const { options, errors } = ts.convertCompilerOptionsFromJson(json, '.');
  if (errors.length > 0) throw new Error(ts.formatDiagnostics(errors, ts.createCompilerHost({})));
  return options;
}

/** As strict as a user's compiler can be, over sources. */
export const STRICTEST = settings({
  module: 'nodenext',
  lib: ['ES2022', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'],
  types: [],
  allowImportingTsExtensions: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitReturns: true,
  noPropertyAccessFromIndexSignature: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  isolatedModules: true,
  verbatimModuleSyntax: true,
  skipLibCheck: true,
});

/** What a module exports, by name: the shape of each value and type, spelt out. */
export function surfaceOf({ program }: Compiled, path: string): Readonly<Record<string, readonly string[]>> {
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(path);
  const module = file === undefined ? undefined : checker.getSymbolAtLocation(file);
  if (module === undefined) throw new Error(`${path} is no module of the program`);
  const exported = checker.getExportsOfModule(module).map((symbol) => {
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
    const shape = [...valueOf(checker, target), ...typeOf(checker, target)];
    return [symbol.name, shape.map((text) => text.replaceAll(RESOLUTION_MODE, ''))] as const;
  });
  return Object.fromEntries(exported);
}

/** How a module was found, which the two ways of resolving say differently of one and the same. */
const RESOLUTION_MODE = /, \{ with: \{ "resolution-mode": "\w+" \} \}/g;

const { NoTruncation, InTypeAlias } = ts.TypeFormatFlags;
const FORMAT: ts.TypeFormatFlags = NoTruncation | InTypeAlias;

function valueOf(checker: ts.TypeChecker, symbol: ts.Symbol): readonly string[] {
  if ((symbol.flags & ts.SymbolFlags.Value) === 0) return [];
  const type = checker.getTypeOfSymbol(symbol);
  const signatures = [...type.getConstructSignatures(), ...type.getCallSignatures()];
  return signatures.map((signature) => checker.signatureToString(signature, undefined, FORMAT));
}

function typeOf(checker: ts.TypeChecker, symbol: ts.Symbol): readonly string[] {
  const { Interface, Class, TypeAlias } = ts.SymbolFlags;
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  if ((symbol.flags & TypeAlias) !== 0) return [checker.typeToString(type, undefined, FORMAT)];
  if ((symbol.flags & (Interface | Class)) === 0) return [];
  return checker
    .getPropertiesOfType(type)
    .filter((property) => !property.name.startsWith('__#'))
    .map(
      (property) => `${property.name}: ${checker.typeToString(checker.getTypeOfSymbol(property), undefined, FORMAT)}`,
    )
    .sort();
}
