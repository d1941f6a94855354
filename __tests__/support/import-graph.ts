import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/** Source texts by path, relative to src and with forward slashes. */
export type Sources = ReadonlyMap<string, string>;

export interface Import {
  readonly specifier: string;
  /** Gone after compilation. `import { type A } from 'x'` is not: it stays as `import {} from 'x'`. */
  readonly typeOnly: boolean;
  /** `import('x')`: loaded when it is reached. */
  readonly lazy: boolean;
}

export function readSources(root: string): Sources {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  return new Map(paths.sort().map((path) => [path.replaceAll('\\', '/'), readFileSync(join(root, path), 'utf8')]));
}

/** Every way one file names another: import, export from, import type, import(), import('x').Type, require. */
export function importsOf(text: string): readonly Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean, lazy = false): void => {
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) {
      found.push({ specifier: specifier.text, typeOnly, lazy });
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true);
    } else if (ts.isExternalModuleReference(node)) {
      add(node.expression, false);
    } else if (ts.isCallExpression(node)) {
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], false, true);
      else if (ts.isIdentifier(node.expression) && node.expression.text === 'require') add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(text));
  return found;
}

/** Whether the file names something it does not get from a property: a global, unless it is declared. */
export function mentions(text: string, name: string): boolean {
  const visit = (node: ts.Node): boolean => {
    if (ts.isPropertyAccessExpression(node)) {
      const global = ts.isIdentifier(node.expression) && node.expression.text === 'globalThis';
      return visit(node.expression) || (global && node.name.text === name);
    }
    if (ts.isIdentifier(node)) {
      return node.text === name && !(ts.isPropertyAssignment(node.parent) && node.parent.name === node);
    }
    return ts.forEachChild(node, visit) ?? false;
  };
  return visit(parse(text));
}

/** The files of `sources` that `path` imports; what is not relative is somebody else's. */
export function filesImportedBy(sources: Sources, path: string): readonly (Import & { readonly path: string })[] {
  return importsOf(sources.get(path) ?? '')
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map((each) => ({ ...each, path: posix.join(posix.dirname(path), each.specifier) }));
}

/** The files that load with `entry`, itself included, and the packages they load; `at once` without what is loaded when it is reached. */
export function loadedWith(
  sources: Sources,
  entry: string,
  when: 'ever' | 'at once' = 'ever',
): { readonly files: readonly string[]; readonly packages: readonly string[] } {
  const files = new Set([entry]);
  const packages = new Set<string>();
  for (const path of files) {
    const counts = ({ typeOnly, lazy }: Import): boolean => !typeOnly && !(lazy && when === 'at once');
    for (const { specifier, ...how } of importsOf(sources.get(path) ?? '')) {
      if (counts({ specifier, ...how }) && !specifier.startsWith('.')) packages.add(specifier);
    }
    for (const imported of filesImportedBy(sources, path)) if (counts(imported)) files.add(imported.path);
  }
  return { files: [...files].sort(), packages: [...packages].sort() };
}

/** Cycles of imports, types included, each as the way from a file back to itself. */
export function cyclesOf(sources: Sources): readonly string[] {
  const cycles: string[] = [];
  const finished = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) cycles.push([...way.slice(way.indexOf(path)), path].join(' → '));
    else if (!finished.has(path)) {
      for (const imported of filesImportedBy(sources, path)) visit(imported.path, [...way, path]);
      finished.add(path);
    }
  };
  for (const path of sources.keys()) visit(path, []);
  return cycles;
}

function parse(text: string): ts.SourceFile {
  return ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true);
}
