import type { Config } from 'jest';

/** A project of its own, whose tests have a configuration of their own. */
const modulePathIgnorePatterns = ['<rootDir>/examples/angular-chat/'];

const transform: Config['transform'] = { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.spec.json' }] };

const config: Config = {
  // Istanbul counts every branch there is; V8 only those of functions that ran.
  coverageProvider: 'babel',
  collectCoverageFrom: ['src/**/*.ts'],
  // The floor is held by scripts/coverage.ts, after a run of all tests: a run of some must not fail for it.
  coverageReporters: ['text-summary', 'json'],
  // Nothing is meant to take long; a busy machine may stretch what a program's start or a compiler takes.
  testTimeout: 30_000,
  projects: [
    {
      displayName: 'unit',
      testEnvironment: 'node',
      modulePathIgnorePatterns,
      transform,
      testMatch: ['<rootDir>/__tests__/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/__tests__/package/', '<rootDir>/__tests__/angular/'],
    },
    {
      // Angular comes as ES modules alone: npm test runs jest with --experimental-vm-modules.
      displayName: 'angular',
      testEnvironment: '<rootDir>/__tests__/angular/support/page-environment.ts',
      modulePathIgnorePatterns,
      setupFilesAfterEnv: ['<rootDir>/__tests__/angular/support/setup.ts'],
      // As an ES module a file has other branches than as CommonJS: each is counted in one of the two.
      coveragePathIgnorePatterns: ['/node_modules/', '<rootDir>/src/(?!angular/)'],
      extensionsToTreatAsEsm: ['.ts'],
      transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.angular-spec.json', useESM: true }] },
      testMatch: ['<rootDir>/__tests__/angular/**/*.test.ts'],
    },
    {
      // What needs the build: the packed tarball, the bundles, the example's program.
      displayName: 'package',
      testEnvironment: 'node',
      modulePathIgnorePatterns,
      transform,
      testMatch: ['<rootDir>/__tests__/package/**/*.test.ts'],
      globalSetup: '<rootDir>/__tests__/package/build.ts',
      globalTeardown: '<rootDir>/__tests__/package/remove.ts',
    },
  ],
};

export default config;
