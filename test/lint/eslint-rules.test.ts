import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import { ESLint, type Linter } from 'eslint';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('../../', import.meta.url));
const defaultFile = 'workers/example.ts';
const workflowFile = 'workflows/example.ts';
const longFunction = `export const f = () => {\n${'  f();\n'.repeat(100)}};\n`;
/** A variable, because TypeScript has no types for the file. */
const configPath: string = '../../eslint.config.mjs';
let eslint: ESLint;

beforeAll(async () => {
  const { default: config } = (await import(configPath)) as { default: Linter.Config[] };
  // Rules that need types are off: they would load the whole project.
  const withoutTypes = { files: ['**/*.ts'], ...(tseslint.configs.disableTypeChecked as Linter.Config) };
  eslint = new ESLint({ cwd: root, overrideConfigFile: true, baseConfig: config, overrideConfig: [withoutTypes] });
});

/** What ESLint reports about a text, as `rule: message`. */
async function lint(text: string, filePath = defaultFile) {
  const [result] = await eslint.lintText(text, { filePath });
  return (result?.messages ?? []).map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

const words =
  'anew aside nobody patience said somebody someone told truth whatever whichever whoever whomever held house journey look looks tell tells talk';

test.each(words.split(' '))('the word "%s" is refused in a name', async (word) => {
  const capital = `${word[0]?.toUpperCase()}${word.slice(1)}`;
  const names = [
    `export const ${word}At = 1;`,
    `export const ${word.toUpperCase()}_TIME = 1;`,
    `export class Last${capital} { #${word} = 1; }`,
    `export const f = ({ ${word} }) => ${word};`,
  ];
  const typeName = `export type ${capital}Type = { last${capital}: string };`;
  const countOf = async (text: string, file: string) =>
    (await lint(text, file)).filter((line) => line.includes(`"${word}"`)).length;
  expect(await countOf(names.join('\n'), 'deploy/local/example.mjs')).toBe(6);
  expect(await countOf([...names, typeName].join('\n'), defaultFile)).toBe(8);
});

test('these words are refused in every line of a comment and in the names of files and folders', async () => {
  const comment = '/**\n * Nobody reads this.\n * It is whatever they said.\n */\n// Done anew.\nexport {};\n';
  expect((await lint(comment)).map((line) => /"(\w+)"/.exec(line)?.[1])).toEqual([
    'Nobody',
    'whatever',
    'said',
    'anew',
  ]);
  expect(await lint('export {};\n', 'adapters/task-truth.ts')).toEqual([expect.stringContaining('"truth"')]);
  expect(await lint('export {};\n', 'test/talk/example.mjs')).toEqual([expect.stringContaining('"talk"')]);
});

test.each<{ name: string; rule: string; text: string; file?: string }>([
  { name: 'five parameters', rule: 'max-params', text: 'export const f = (a, b, c, d, e) => [a, b, c, d, e];\n' },
  { name: 'a long file', rule: 'max-lines', text: 'export const a = [];\n'.repeat(301) },
  { name: 'a long function', rule: 'max-lines-per-function', text: longFunction },
  { name: 'a wide comment', rule: 'max-len', text: `// ${'word '.repeat(24)}\n` },
  { name: 'an endless for', rule: 'no-restricted-syntax', text: 'for (;;) break;\n' },
  { name: 'a for without a condition', rule: 'no-restricted-syntax', text: 'for (let i = 0; ; i++) break;\n' },
  {
    name: 'spread of an object',
    rule: 'no-restricted-syntax',
    text: 'export const f = (a) => ({ ...{ a }, b: 1 });\n',
  },
  { name: 'spread of an array', rule: 'no-restricted-syntax', text: 'export const f = (a) => [...[a], 1];\n' },
  {
    name: 'void of an assignment',
    rule: 'no-restricted-syntax',
    text: 'let a;\nexport const f = () => void (a = 1);\n',
  },
  { name: 'assignment as a condition', rule: 'no-restricted-syntax', text: 'let a;\nif ((a = next())) use(a);\n' },
  {
    name: 'assignment in a condition',
    rule: 'no-restricted-syntax',
    text: 'let a;\nwhile ((a = next()) !== 1) use(a);\n',
  },
  {
    name: 'a duration without a space',
    rule: 'no-restricted-syntax',
    text: "export const options = { timeout: '30s' };\n",
  },
  { name: 'a transaction called tx', rule: 'no-restricted-syntax', text: 'db.execute((tx) => tx.selectFrom());\n' },
  { name: 'the environment', rule: 'no-restricted-properties', text: 'export const home = process.env.HOME;\n' },
  { name: 'a built-in in a workflow', rule: 'no-restricted-imports', text: "import 'node:fs';\n", file: workflowFile },
  { name: 'zod in a workflow', rule: 'no-restricted-imports', text: "import 'zod';\n", file: workflowFile },
  { name: 'fetch in a workflow', rule: 'no-restricted-globals', text: 'fetch();\n', file: workflowFile },
  {
    name: 'a duration in a workflow',
    rule: 'no-restricted-syntax',
    text: "export const timeout = '5s';\n",
    file: workflowFile,
  },
  { name: 'an unused variable', rule: '@typescript-eslint/no-unused-vars', text: 'const a = 1;\n' },
])('$rule refuses $name', async ({ rule, text, file = defaultFile }) => {
  expect(await lint(text, file)).toContainEqual(expect.stringContaining(`${rule}: `));
});

test.each<{ name: string; text: string; file?: string }>([
  { name: 'a plain comment', text: '/** Returns what the provider reported. */\nexport const a = 1;\n' },
  { name: 'a refused word in a text for people', text: "export const message = 'Nobody had decided.';\n" },
  { name: 'a name of another module', text: "import { tell as report } from 'library';\nreport();\n" },
  { name: 'a property of another object', text: 'export const f = (wire) => wire.told;\n' },
  { name: 'a field of recorded histories', text: 'export const stateOf = (corrections) => ({ told: corrections });\n' },
  { name: 'a duration with a space', text: "export const options = { timeout: '30 s' };\n", file: workflowFile },
  { name: 'a transaction called trx', text: 'db.execute((trx) => trx.selectFrom());\n' },
  { name: 'while (true)', text: 'while (true) break;\n' },
  { name: 'spread of a variable', text: 'export const f = (rest) => ({ ...rest, b: 1 });\n' },
  { name: 'the environment where it is read', text: 'export const a = process.env.HOME;\n', file: 'runtime/config.ts' },
  { name: 'a long function in a test', text: longFunction, file: 'test/example.ts' },
])('$name is accepted', async ({ text, file = defaultFile }) => {
  expect(await lint(text, file)).toEqual([]);
});

test('a comment cannot switch a rule off', async () => {
  const text = '// eslint-disable-next-line no-restricted-syntax\nfor (;;) break;\n';
  expect(await lint(text)).toContainEqual(expect.stringContaining('no-restricted-syntax: '));
});
