import type { Config } from 'jest';

const config: Config = {
  rootDir: '.',
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/tsconfig.json', useESM: true }] },
  testMatch: ['<rootDir>/**/*.test.ts'],
  // Two builds in size.test.ts, and a browser's first start.
  testTimeout: 30_000,
};

export default config;
