import type { Config } from 'jest';

const transform: Config['transform'] = { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.spec.json' }] };

const config: Config = {
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts'],
  projects: [
    {
      displayName: 'unit',
      testEnvironment: 'node',
      transform,
      testMatch: ['<rootDir>/__tests__/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/__tests__/package/'],
    },
    {
      // What needs the build: the packed tarball, the bundles, the example's program.
      displayName: 'package',
      testEnvironment: 'node',
      transform,
      testMatch: ['<rootDir>/__tests__/package/**/*.test.ts'],
      globalSetup: '<rootDir>/__tests__/package/build.ts',
    },
  ],
};

export default config;
