/** Jest in ESM mode: `ts-jest` and CommonJS mode both fail on ESM-only libraries. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript' },
          target: 'es2022',
          experimental: { keepImportAttributes: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  globalSetup: '<rootDir>/test/support/environment/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/environment/global-teardown.ts',
  // Node resolves this for packs by a hook of agents/packs/; Jest has a resolver of its own.
  moduleNameMapper: {
    '^alfred/agent$': '<rootDir>/agents/packs/surface/index.ts',
    'resolve-surface\\.ts$': '<rootDir>/test/support/packs/resolve-surface.ts',
  },
  // A slow machine that does other work too needs a minute to bundle the workflows.
  testTimeout: 180_000,
  maxWorkers: 2,
  // Modules of test files stay in a worker’s memory: it starts again before it reaches V8’s limit.
  workerIdleMemoryLimit: '1536MB',
  // A worker of hundreds of files gives its memory back for longer than Jest’s half second, after its last handle.
  workerGracefulExitTimeout: 10_000,
  modulePathIgnorePatterns: ['<rootDir>/.alfred/'],
};
