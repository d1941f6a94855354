/**
 * The public API as text: one report for each entry point under etc/, so that every change of a name or a type is seen in
 * review. Compares; `--update` writes. Needs the build.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig, ExtractorLogLevel, type IConfigFile } from '@microsoft/api-extractor';

const root = fileURLToPath(new URL('..', import.meta.url));
const update = process.argv.includes('--update');

/** The universal side of each entry point; that the Node side has the same names and types is a test of its own. */
const ENTRY_POINTS = {
  index: 'index',
  operators: 'operators/index',
  promises: 'promises',
  node: 'node/index',
  testing: 'testing/index',
  relay: 'relay/index',
  angular: 'angular/index',
  'angular-http': 'angular/http/index',
  'angular-testing': 'angular/testing/index',
};

const QUIET = { default: { logLevel: ExtractorLogLevel.None } };

function configFor(name: string, entryPoint: string): IConfigFile {
  return {
    projectFolder: root,
    mainEntryPointFilePath: `<projectFolder>/dist/esm/${entryPoint}.d.ts`,
    compiler: {
      overrideTsconfig: {
        compilerOptions: {
          target: 'ES2022',
          lib: ['ES2022', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'],
          module: 'nodenext',
          moduleResolution: 'nodenext',
          types: ['node'],
          strict: true,
          skipLibCheck: true,
        },
      },
    },
    apiReport: {
      enabled: true,
      reportFileName: `${name}.api.md`,
      reportFolder: '<projectFolder>/etc/',
      reportTempFolder: '<projectFolder>/coverage/api/',
      includeForgottenExports: true,
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    // Release tags and a comment on every field are not this project's way of saying what is public.
    messages: { extractorMessageReporting: QUIET, tsdocMessageReporting: QUIET },
  };
}

mkdirSync(new URL('../etc', import.meta.url), { recursive: true });

const changed = Object.entries(ENTRY_POINTS).filter(([name, entryPoint]) => {
  const config = ExtractorConfig.prepare({
    configObject: configFor(name, entryPoint),
    configObjectFullPath: undefined,
    packageJsonFullPath: `${root}package.json`,
    projectFolderLookupToken: root,
  });
  return !Extractor.invoke(config, { localBuild: update }).succeeded;
});

for (const [name] of changed) {
  console.error(
    `etc/${name}.api.md is not what the build exports. If that is meant: npm run api:update, and commit it.`,
  );
}
process.exitCode = changed.length === 0 ? 0 : 1;
