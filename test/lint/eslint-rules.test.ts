import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { ESLint, type Linter } from 'eslint';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { default: config } = (await import(new URL('../../eslint.config.mjs', import.meta.url).href)) as {
  default: Linter.Config[];
};
/** The project's own configuration. Rules that need types are off: they would load the whole project. */
const eslint = new ESLint({
  cwd: root,
  overrideConfigFile: true,
  baseConfig: config,
  overrideConfig: [{ files: ['**/*.ts'], ...(tseslint.configs.disableTypeChecked as Linter.Config) }],
});

/** What ESLint reports about a text, as `rule: message`. */
async function lint(text: string, filePath = 'workers/example.ts') {
  const [result] = await eslint.lintText(text, { filePath });
  return (result?.messages ?? []).map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

test.each<[rule: string, text: string, file?: string]>([
  ['alfred/plain-words', '/** A word that nobody needs. */\nexport const a = 1;\n'],
  ['alfred/plain-words', '// First line.\n// As the provider said.\nexport const a = 1;\n'],
  ['alfred/plain-words', 'export const toldAt = 1;\n'],
  ['alfred/plain-words', 'export function tell() {}\n'],
  ['alfred/plain-words', 'export class Talk {}\n'],
  ['alfred/plain-words', 'export class A { #held = 1; }\n'],
  ['alfred/plain-words', 'export type Journey = string;\n'],
  ['alfred/plain-words', 'export type A = { lastLook: string };\n'],
  ['alfred/plain-words', 'export const f = ({ said }: { said?: string }) => said;\n'],
  ['alfred/plain-words', 'export const HOUSE_NUMBER = 1;\n'],
  ['alfred/plain-words', 'export const whoever = 1;\n', 'deploy/local/example.mjs'],
  ['alfred/plain-words', 'export const a = 1;\n', 'adapters/task-truth.ts'],
  ['alfred/plain-words', 'export const a = 1;\n', 'test/talk/example.ts'],
  ['max-params', 'export const f = (a, b, c, d, e) => [a, b, c, d, e];\n'],
  ['max-lines', 'export const a = [];\n'.repeat(301)],
  ['max-lines-per-function', `export const f = () => {\n${'  f();\n'.repeat(100)}};\n`],
  ['max-len', `// ${'word '.repeat(24)}\n`],
  ['no-restricted-syntax', 'for (;;) break;\n'],
  ['no-restricted-syntax', 'for (let i = 0; ; i++) break;\n'],
  ['no-restricted-syntax', 'export const f = (a) => ({ ...{ a }, b: 1 });\n'],
  ['no-restricted-syntax', 'export const f = (a) => [...[a], 1];\n'],
  ['no-restricted-syntax', 'let a;\nexport const f = () => void (a = 1);\n'],
  ['no-restricted-syntax', 'let a;\nif ((a = next())) use(a);\n'],
  ['no-restricted-syntax', 'let a;\nwhile ((a = next()) !== 1) use(a);\n'],
  ['no-restricted-syntax', "export const options = { startToCloseTimeout: '30s' };\n", 'workflows/example.ts'],
  ['no-restricted-syntax', 'db.transaction().execute((tx) => tx.selectFrom());\n'],
  ['no-restricted-properties', 'export const home = process.env.HOME;\n'],
  ['no-restricted-imports', "import { readFile } from 'node:fs';\nreadFile();\n", 'workflows/example.ts'],
  ['no-restricted-imports', "import { z } from 'zod';\nz();\n", 'workflows/example.ts'],
  ['no-restricted-globals', 'fetch();\n', 'workflows/example.ts'],
  ['@typescript-eslint/no-unused-vars', 'const a = 1;\n'],
])('%s refuses %j', async (rule, text, file) => {
  expect(await lint(text, file)).toEqual(
    expect.arrayContaining([expect.stringMatching(new RegExp(`^${RegExp.escape(rule)}: `))]),
  );
});

test.each<[text: string, file?: string]>([
  ['/** Returns what the provider reported. */\nexport const a = 1;\n'],
  // Texts that people read are not names.
  ["export const message = 'Nobody had decided.';\n"],
  // A name that belongs to another module.
  ['export const f = (wire) => wire.told;\n'],
  ["import { tell as report } from 'library';\nreport();\n"],
  // A field of recorded histories.
  [
    'export type State = { told: string[] };\nexport const state = (told_: string[]): State => ({ told: told_ });\n'.replaceAll(
      'told_',
      'corrections',
    ),
  ],
  ["export const options = { startToCloseTimeout: '30 s' };\n", 'workflows/example.ts'],
  ['db.transaction().execute((trx) => trx.selectFrom());\n'],
  ['while (true) break;\n'],
  ['export const f = (rest) => ({ ...rest, b: 1 });\n'],
  ['export const home = process.env.HOME;\n', 'runtime/config.ts'],
  [`export const f = () => {\n${'  f();\n'.repeat(100)}};\n`, 'test/example.ts'],
])('%j is accepted', async (text, file) => {
  expect(await lint(text, file)).toEqual([]);
});

test('a comment cannot switch a rule off', async () => {
  const text = '// eslint-disable-next-line no-restricted-syntax\nfor (;;) break;\n';
  expect(await lint(text)).toEqual(expect.arrayContaining([expect.stringMatching(/^no-restricted-syntax: /)]));
});
