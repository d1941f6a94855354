/** What tsc leaves undone: dist/cjs must say that it is CommonJS, and outputs of deleted sources must go. */
import { existsSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const src = fileURLToPath(new URL('../src/', import.meta.url));

for (const output of globSync('{esm,cjs}/**/*.{js,js.map,d.ts}', { cwd: dist })) {
  const source = output.replace(/^(?:esm|cjs)[/\\]/, '').replace(/(?:\.js|\.js\.map|\.d\.ts)$/, '.ts');
  if (!existsSync(src + source)) rmSync(dist + output);
}

// The package itself is of type "module".
writeFileSync(`${dist}cjs/package.json`, '{ "type": "commonjs" }\n');
