import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { parseScript } from '../../adapters/models/script.ts';
import { everywhere as wordsToAvoid } from '../../eslint-rules/plain-words.mjs';
import { loadConfig, variableNames } from '../../runtime/config.ts';
import type { JsonObject } from '../api/checked-client.ts';
import { refusedQuestion, startDocsStack, type DocsStack } from './docs-stack.ts';
import { createSchemaCheck } from './json-examples.ts';
import { fileNameOf, isRun, missingLine, runPage } from './run-page.ts';
import { readPages, root, type Block, type Page } from './read-pages.ts';
import { requestsOf } from './requests.ts';

const pages = readPages();
const blocks = pages.flatMap((page) => page.blocks.map((block) => ({ page, block, at: `${page.path}:${block.line}` })));
const toCheck = (language: string) => blocks.filter(({ block }) => block.language === language && !block.notRun);

let stack: DocsStack;
let document: JsonObject;
beforeAll(async () => {
  stack = await startDocsStack();
  document = (await (await fetch(`${stack.url}/openapi.json`)).json()) as JsonObject;
  await fetch(`${stack.url}/v1/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=30' },
    body: JSON.stringify({ input: { text: refusedQuestion } }),
  });
});
afterAll(() => stack?.close());

/** The output that a page shows below a block. */
function shownBelow(page: Page, block: Block): Block | undefined {
  const next = page.blocks[page.blocks.indexOf(block) + 1];
  return next?.language === 'text' && !next.notRun ? next : undefined;
}

describe('the commands of a page work, one after the other', () => {
  const runnable = pages.filter(({ blocks: all }) => all.some(isRun)).map((page) => [page.path, page] as const);
  test.each(runnable)(
    '%s',
    async (_, page) => {
      const outcomes = await runPage(page, stack);
      const wrong = outcomes.flatMap(({ block, output }) => {
        const shown = shownBelow(page, block);
        const line = shown && missingLine(shown.text, output);
        return line === undefined
          ? []
          : [`${page.path}:${shown?.line} shows "${line}", but the command printed:\n${output}`];
      });
      expect(wrong).toEqual([]);
    },
    120_000,
  );
});

test('each block is run or checked, or a comment before it says why not', () => {
  const checked = ['json', 'yaml', 'env', 'sql'];
  const unexplained = blocks.filter(
    ({ page, block }) =>
      !block.notRun &&
      !isRun(block) &&
      !isOfClient(page, block) &&
      !checked.includes(block.language) &&
      !page.blocks.some((one) => isRun(one) && shownBelow(page, one) === block),
  );
  expect(unexplained.map(({ at }) => at)).toEqual([]);
  const notRun = blocks.filter(({ block }) => block.notRun);
  expect(notRun.filter(({ block }) => (block.notRun ?? '').split(' ').length < 3).map(({ at }) => at)).toEqual([]);
  expect(notRun.length).toBeLessThan(blocks.length / 3);
});

/** test/client/ compiles and runs the programs of the client's page, against its installed package. */
const isOfClient = ({ path }: Page, { language }: Block) =>
  path === 'client/README.md' && ['ts', 'js'].includes(language);

test('JSON fits the schema or the variable that the block names', () => {
  const check = createSchemaCheck(document);
  const found = toCheck('json').flatMap(({ block, at }) => {
    try {
      const value: unknown = JSON.parse(block.text);
      if (variableNames.some((name) => name === block.info)) load({ [block.info]: block.text });
      else if (block.info === 'script') parseScript(value);
      else check(block.info, value);
      return [];
    } catch (error) {
      return [`${at}: ${(error as Error).message}`];
    }
  });
  expect(found).toEqual([]);
});

test('settings are those that Alfred takes', () => {
  const found = toCheck('env').flatMap(({ block, at }) => {
    try {
      load(parseEnv(block.text));
      return [];
    } catch (error) {
      return [`${at}: ${(error as Error).message}`];
    }
  });
  expect(found).toEqual([]);
});

/** @throws ConfigError when a value is wrong, Error when a variable does not exist */
function load(variables: Record<string, string | undefined>): void {
  const unknown = Object.keys(variables).filter((name) => variableNames.every((one) => one !== name));
  if (unknown.length > 0) throw new Error(`there is no variable ${unknown.join(', ')}`);
  const keys = { OPENAI_API_KEY: 'key', ANTHROPIC_API_KEY: 'key' };
  loadConfig({ DATABASE_URL: 'postgres://alfred@db/alfred', ...keys, ...variables });
}

test('YAML is well-formed', () => {
  for (const { block } of toCheck('yaml')) expect(parseYaml(block.text)).toBeTruthy();
});

test('SQL runs on the schema', async () => {
  for (const { block, at } of toCheck('sql')) {
    const client = await stack.postgres.pool.connect();
    try {
      await client.query('begin');
      await client.query(block.text).catch((error: Error) => Promise.reject(new Error(`${at}: ${error.message}`)));
    } finally {
      await client.query('rollback');
      client.release();
    }
  }
});

test('programs in TypeScript compile under strict', async () => {
  const programs = toCheck('ts').filter(({ block }) => fileNameOf(block));
  if (programs.length === 0) return;
  const folder = await mkdtemp(join(root, 'node_modules/.cache/docs-'));
  try {
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const files = programs.map(
      ({ block }, index) => [join(folder, `${index}-${fileNameOf(block)}`), block.text] as const,
    );
    for (const [file, text] of files) await writeFile(file, text);
    const options = '--noEmit --strict --skipLibCheck --target es2022 --module nodenext --types node'.split(' ');
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const arguments_ = [tsc, ...options, ...files.map(([file]) => file)];
    const { stdout } = await promisify(execFile)(process.execPath, arguments_).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('every request that a page shows exists in the API', () => {
  const operations = Object.entries<JsonObject>(document['paths']).flatMap(([path, item]) =>
    Object.keys(item).map((method) => ({ method: method.toUpperCase(), parts: path.split('/') })),
  );
  const fits = ({ method, parts }: { method?: string; parts: string[] }) =>
    operations.some(
      (one) =>
        (method === undefined || method === one.method) &&
        one.parts.length === parts.length &&
        one.parts.every((part, index) => part === parts[index] || (part.startsWith('{') && parts[index] !== '')),
    );
  const found = pages.flatMap((page) =>
    requestsOf(page)
      .filter((request) => !fits(request))
      .map(({ method = 'any', parts, line }) => `${page.path}:${line}: there is no ${method} ${parts.join('/')}`),
  );
  expect(found).toEqual([]);
});

test('texts of the API are in plain words', () => {
  const found = textsOf(document).flatMap((text) =>
    (text.match(/[A-Za-z]+/g) ?? [])
      .filter((word) => wordsToAvoid.has(word.toLowerCase()))
      .map((word) => `"${word}" in: ${text}`),
  );
  expect(found).toEqual([]);
});

function textsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    typeof one === 'string' && ['description', 'summary', 'title'].includes(name) ? [one] : textsOf(one),
  );
}
