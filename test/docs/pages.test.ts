import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { createContext } from '../../cli/create-context.ts';
import { allCommands, commandNames, createProgram } from '../../cli/program.ts';
import { everywhere as wordsToAvoid } from '../../eslint-rules/plain-words.mjs';
import { errorCodes, httpStatusOf, type ErrorCode } from '../../contract/errors.ts';
import { scopeAreas } from '../../contract/rules/scopes.ts';
import { variableNames } from '../../runtime/config.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { callsIn, commandLinesOf, faultOfCall } from './command-lines.ts';
import { readPages, root, type Page } from './read-pages.ts';

const pages = readPages();
let program: Command;
beforeAll(async () => {
  program = await createProgram(commandNames, createContext());
});

/** What `check` finds wrong on any page, each with its place. */
const faults = <T extends { line: number }>(
  itemsOf: (page: Page) => T[],
  check: (item: T, page: Page) => string | undefined,
) =>
  pages.flatMap((page) =>
    itemsOf(page).flatMap((item) => {
      const fault = check(item, page);
      return fault ? [`${page.path}:${item.line}: ${fault}`] : [];
    }),
  );

test('every link leads to a page, a file or a heading that exists', () => {
  const anchorsOf = new Map(pages.map(({ path, anchors }) => [path, anchors]));
  const found = faults(
    ({ links }) => links,
    ({ url }, { path }) => {
      if (/^[a-z]+:/.test(url)) return undefined;
      const [file = '', anchor] = url.split('#');
      const target = file ? normalize(join(dirname(path), file)) : path;
      if (!existsSync(join(root, target))) return `there is no ${target}`;
      const anchors = anchorsOf.get(target);
      return anchor && anchors && !anchors.has(anchor) ? `${target} has no heading #${anchor}` : undefined;
    },
  );
  expect(found).toEqual([]);
});

test('every page of docs is in the index', () => {
  const index = pages.find(({ path }) => path === 'docs/README.md');
  const listed = new Set(index?.links.map(({ url }) => normalize(join('docs', url.split('#')[0] ?? ''))));
  const missing = pages
    .map(({ path }) => path)
    .filter((path) => /^docs\/(?!adr\/|README)/.test(path) && !listed.has(path));
  expect(missing).toEqual([]);
});

test('every file that a page names exists', () => {
  const found = faults(
    ({ spans }) => spans,
    ({ text }) => {
      const isFile = /^[a-z.][\w.-]*(\/[\w.-]+)*\/[\w-]+(\.[\w-]+)*\.(ts|mjs|json|md|yml|yaml|sql)$/.test(text);
      return isFile && !existsSync(join(root, text)) && !isOfAnother(text) ? `there is no file ${text}` : undefined;
    },
  );
  expect(found).toEqual([]);
});
/** Files of examples: documents that a reader adds, and files that a command makes. */
const isOfAnother = (file: string) =>
  /^(policies|legal|hr|notes|handbook|agents\/billing|(docs\/)?(a|sub)|docs\/examples\/policies|x|\.alfred|.*\/NNNN_name)\b/.test(
    file,
  );

test('every page that code and configuration name exists', () => {
  const files = globSync(
    '{agents,activities,adapters,api,cli,contract,deploy,knowledge,parsing,runtime,test,wiring,workers,workflows}/**/*.{ts,mjs,yml,env}',
    { cwd: root },
  );
  const found = [...files, 'package.json', '.prettierignore'].flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/\bdocs\/[\w/-]+\.md\b/g)]
      .map(([name]) => name)
      .filter((name) => !existsSync(join(root, name)) && !isOfAnother(name))
      .map((name) => `${file}: there is no ${name}`),
  );
  expect(found).toEqual([]);
});

test('every command and option that a page shows exists', () => {
  expect(faults(commandLinesOf, ({ words }) => faultOfCall(program, words))).toEqual([]);
});

test.each([
  ['./alfred tasks lst', '`tasks` has no command `lst`'],
  ['./alfred ask --jsn "What?" | jq -r .id', '`ask` has no option --jsn'],
  ['TASK=$(./alfred asks --json "What?")', 'there is no command `asks`'],
  ['./alfred tasks --limit 2 --json', undefined],
])('the check of commands reads `%s`', (line, fault) => {
  expect(callsIn(line).map((words) => faultOfCall(program, words))).toEqual([fault]);
});

test('every variable that a page names exists', () => {
  const own = new Set(variableNames.map(String));
  const prefixes = new Set(variableNames.map((name) => name.split('_')[0]));
  const others = variablesOfOthers();
  const found = faults(
    ({ spans, prose, blocks }) => [...spans, ...prose, ...blocks],
    ({ text }) => {
      const names = text.match(/\b[A-Z][A-Z0-9]*(_[A-Z0-9]+)+\b/g) ?? [];
      const unknown = names.filter(
        (name) => prefixes.has(name.split('_')[0]) && !own.has(name) && !others.has(name) && !isOfTests(name),
      );
      return unknown.length > 0 ? `there is no variable ${unknown.join(', ')}` : undefined;
    },
  );
  expect(found).toEqual([]);
});

/** The conformance suite of the providers makes these names from those of the providers. */
const isOfTests = (name: string) => /^ALFRED_TEST_(OPENAI|ANTHROPIC)_/.test(name);

/** Variables that tests, the one-machine stack and the command line read by themselves, as written in their code. */
function variablesOfOthers(): Set<string> {
  const files = globSync('{cli,deploy,test,runtime}/**/*.{ts,mjs,yml}', { cwd: root });
  const names = files.flatMap((file) => readFileSync(join(root, file), 'utf8').match(/\b[A-Z]+(_[A-Z0-9]+)+\b/g) ?? []);
  return new Set(names);
}

test('commands and requests go to ALFRED_URL, so that they work where Alfred listens elsewhere', () => {
  const shellLines = ({ blocks }: Page) =>
    blocks
      .filter(({ language, notRun }) => language === 'sh' && notRun === undefined)
      .flatMap(({ text, line }) => text.split('\n').map((code, index) => ({ code, line: line + 1 + index })));
  const found = faults(shellLines, ({ code }) => {
    const isFixed = /https?:\/\/(127\.0\.0\.1|localhost):8080/.test(code) && !code.startsWith('export ALFRED_URL=');
    return isFixed || /\$\{?\w+\}?\/v1\//.test(code.replaceAll('$ALFRED_URL/v1/', '')) ? code : undefined;
  });
  expect(found).toEqual([]);
});

test('the page of sign-in names every scope, and every code of a refused credential', () => {
  const spans = pages.find(({ path }) => path === 'docs/reference/sign-in.md')?.spans.map(({ text }) => text);
  expect(spans).toEqual(expect.arrayContaining([...scopeAreas]));
  // Not about the credential: the host, and approvals.
  const others: ErrorCode[] = ['forbidden_host', 'approval_forbidden', 'approval_missing'];
  const codes = errorCodes.filter((code) => [401, 403].includes(httpStatusOf(code)) && !others.includes(code));
  expect(codes.length).toBeGreaterThan(10);
  expect(spans).toEqual(expect.arrayContaining(codes));
});

test('every metric that a page names exists, and one page explains each', async () => {
  const registered = createMetrics()
    .registry.getMetricsAsArray()
    .map(({ name }) => name);
  const ours = registered.filter((name) => !/^(process|nodejs)_/.test(name));
  const isMetric = /^[a-z]+(_[a-z]+)*_(total|seconds|usd|bytes)$/;
  const found = faults(
    ({ spans, blocks }) => [...spans, ...blocks.filter(({ language }) => language === 'yaml')],
    ({ text }) => {
      const names = text.match(/[a-z]+(_[a-z]+)+(?=$|[^\w])/g) ?? [];
      const unknown = names.filter(
        (name) => isMetric.test(name) && !name.startsWith('temporal_') && !registered.includes(name),
      );
      return unknown.length > 0 ? `there is no metric ${unknown.join(', ')}` : undefined;
    },
  );
  expect(found).toEqual([]);
  const explained = pages.flatMap(({ path, spans }) => (path.startsWith('docs/') ? spans.map(({ text }) => text) : []));
  expect(ours.filter((name) => !explained.some((text) => text.startsWith(name)))).toEqual([]);
});

/** Words of a text that the list names, with what to write instead. */
const unplainWords = (text: string) =>
  (text.match(/[A-Za-z]+/g) ?? []).flatMap((word) => {
    const instead = wordsToAvoid.get(word.toLowerCase());
    return instead ? [`"${word}" is not plain English. Instead of it: ${instead}.`] : [];
  });

test('pages are in plain words', () => {
  expect(
    faults(
      ({ prose, blocks }) => [...prose, ...blocks],
      ({ text }) => unplainWords(text)[0],
    ),
  ).toEqual([]);
});

test('help texts are in plain words', () => {
  const found = allCommands(program).flatMap((command) =>
    unplainWords(command.helpInformation()).map((fault) => `${command.name()}: ${fault}`),
  );
  expect(found).toEqual([]);
});
