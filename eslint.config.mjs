import tseslint from 'typescript-eslint';
import { plainWords } from './eslint-rules/plain-words.mjs';

/** One list for every file: a second `no-restricted-syntax` in a later block would replace this one. */
const restrictedSyntax = [
  { selector: 'ForStatement[test=null]', message: 'Write `while (true)` or a bounded loop.' },
  {
    selector: 'SpreadElement > :matches(ObjectExpression, ArrayExpression)',
    message: 'Write the properties or elements themselves, without a spread.',
  },
  {
    selector: 'UnaryExpression[operator="void"] > AssignmentExpression',
    message: 'Write the assignment as a statement of its own.',
  },
  {
    selector:
      ':matches(IfStatement, WhileStatement, DoWhileStatement, ForStatement, ConditionalExpression) > .test:matches(AssignmentExpression, :has(AssignmentExpression))',
    message: 'Assign before the condition, not inside it.',
  },
  {
    selector: 'Literal[value=/^\\d+(\\.\\d+)?(ms|s|m|h|d|w|sec|min|hours?|days?|minutes?|seconds?)$/]',
    message: 'Write a duration with a space between number and unit: "5 s".',
  },
  { selector: 'Identifier[name="tx"]', message: 'A Kysely transaction is called `trx`, as in Kysely’s documentation.' },
];

/** Field names that recorded histories contain, so they cannot be changed. */
const wireNames = ['told'];

export default tseslint.config(
  {
    ignores: [
      'node_modules/',
      '.alfred/',
      'test/histories/',
      'coverage/',
      'client/dist/',
      'client/src/api-types.ts',
      // Packs are projects of their own; a test compiles them outside of the tree.
      'docs/examples/packs/',
    ],
  },
  {
    files: ['**/*.{ts,mjs,cjs}'],
    plugins: { alfred: { rules: { 'plain-words': plainWords } } },
    linterOptions: { noInlineConfig: true },
    rules: {
      'alfred/plain-words': ['error', { wireNames }],
      'max-params': ['error', 4],
      'max-lines': ['error', 300],
      'max-len': ['error', { code: 1_000, comments: 120 }],
      'no-restricted-syntax': ['error', ...restrictedSyntax],
    },
  },
  { files: ['**/*.{ts,mjs,cjs}'], ignores: ['test/**'], rules: { 'max-lines-per-function': ['error', { max: 100 }] } },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { arguments: false, attributes: false } },
      ],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only runtime/config.ts reads the environment.' },
      ],
    },
  },
  {
    files: ['runtime/config.ts', 'deploy/local/**', 'test/**', 'cli/**'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['workflows/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['node:*', 'fs', 'crypto', 'zod'],
              message: 'Workflow code is deterministic and bundles no Node built-ins or schema library.',
            },
          ],
        },
      ],
      'no-restricted-globals': ['error', 'process', 'Buffer', 'fetch', 'setInterval'],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
);
