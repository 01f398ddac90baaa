import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cruise, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser';

const { forbidden, options } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  forbidden: IForbiddenRuleType[];
  options: object;
};

/** For each rule a file and an import that the rule refuses. A value import unless the text says `import type`. */
const violations: Record<string, { from: string; to: string; kind?: 'type' }> = {
  'no-circular': { from: 'runtime/circle.ts', to: 'runtime/circle-end.ts' },
  contract: { from: 'contract/a.ts', to: 'runtime/target.ts' },
  'contract-without-ports': { from: 'contract/rules/b.ts', to: 'contract/ports/target.ts', kind: 'type' },
  runtime: { from: 'runtime/a.ts', to: 'adapters/target.ts' },
  'agents-data': { from: 'agents/example/agent.ts', to: 'agents/tools/target.ts' },
  'agents-tools': { from: 'agents/tools/a.ts', to: 'adapters/target.ts' },
  workflows: { from: 'workflows/a.ts', to: 'runtime/target.ts', kind: 'type' },
  activities: { from: 'activities/a.ts', to: 'adapters/target.ts' },
  adapters: { from: 'adapters/a.ts', to: 'knowledge/target.ts' },
  knowledge: { from: 'knowledge/a.ts', to: 'adapters/models/target.ts' },
  parsing: { from: 'parsing/a.ts', to: 'knowledge/target.ts' },
  wiring: { from: 'wiring/a.ts', to: 'workflows/target.ts' },
  workers: { from: 'workers/a.ts', to: 'api/target.ts' },
  doors: { from: 'api/routes/a.ts', to: 'wiring/target.ts' },
  compose: { from: 'api/compose.ts', to: 'adapters/target.ts' },
  'api-without-slack': { from: 'api/b.ts', to: 'slack/target.ts' },
  'slack-without-api': { from: 'slack/b.ts', to: 'api/target.ts' },
  client: { from: 'client/src/a.ts', to: 'contract/target.ts', kind: 'type' },
  'client-without-libraries': { from: 'client/src/b.ts', to: 'node:fs' },
  console: { from: 'console/a.ts', to: 'api/target.ts', kind: 'type' },
  'console-types': { from: 'console/b.ts', to: 'contract/target.ts' },
  'roots-are-ends': { from: 'runtime/b.ts', to: 'workers/target.ts' },
  'tests-are-ends': { from: 'workers/b.ts', to: 'test/target.ts' },
  'activities-as-types': { from: 'workflows/b.ts', to: 'activities/index.ts' },
  'workflows-as-types': { from: 'adapters/b.ts', to: 'workflows/target.ts' },
  'sandbox-without-node': { from: 'workflows/c.ts', to: 'node:fs' },
  'sandbox-libraries': { from: 'workflows/d.ts', to: 'zod' },
};

/** Imports that the table of rooms allows. */
const allowed: { from: string; to: string; kind?: 'type' }[] = [
  { from: 'contract/ports/ok.ts', to: 'contract/target.ts' },
  { from: 'agents/index.ts', to: 'agents/other/agent.ts' },
  { from: 'workflows/ok.ts', to: 'agents/index.ts' },
  { from: 'workflows/ok.ts', to: 'activities/index.ts', kind: 'type' },
  { from: 'workflows/ok.ts', to: '@temporalio/workflow' },
  { from: 'adapters/temporal/ok.ts', to: 'workflows/target.ts', kind: 'type' },
  { from: 'knowledge/ok.ts', to: 'adapters/postgres/target.ts' },
  { from: 'slack/compose.ts', to: 'wiring/target.ts' },
  { from: 'slack/compose.ts', to: 'agents/packs/load-agents.ts' },
  { from: 'workers/ok.ts', to: 'slack/outbound/target.ts' },
  { from: 'client/src/ok.ts', to: 'client/src/target.ts' },
  { from: 'console/ok.ts', to: 'contract/target.ts', kind: 'type' },
  { from: 'cli/ok.ts', to: 'workers/ok.ts' },
  { from: 'test/ok.ts', to: 'cli/ok.ts' },
];

let dir: string;
let refused: { rule: string; from: string; to: string }[];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'alfred-rooms-'));
  const imports = new Map<string, string[]>();
  for (const { from, to, kind } of [...Object.values(violations), ...allowed]) {
    const isFile = to.includes('.ts');
    const specifier = isFile ? `${'../'.repeat(from.split('/').length - 1)}${to}` : to;
    const keyword = kind === 'type' ? 'import type' : 'import';
    const lines = imports.get(from) ?? [];
    imports.set(from, [
      ...lines,
      `${keyword} * as used${lines.length} from '${specifier}';\nvoid used${lines.length};\n`,
    ]);
    if (isFile && !imports.has(to)) imports.set(to, []);
  }
  imports.get('runtime/circle-end.ts')?.push("import * as start from './circle.ts';\nvoid start;\n");
  for (const [path, lines] of imports) await write(path, `${lines.join('')}export const value = 1;\n`);
  for (const name of ['zod', '@temporalio/workflow']) {
    await write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    await write(`node_modules/${name}/index.js`, 'exports.value = 1;\n');
  }
  await write('package.json', JSON.stringify({ dependencies: { zod: '1.0.0', '@temporalio/workflow': '1.0.0' } }));
  await write(
    'tsconfig.json',
    JSON.stringify({ compilerOptions: { module: 'nodenext', allowImportingTsExtensions: true } }),
  );
  const rooms = [...new Set([...imports.keys()].map((path) => path.split('/')[0] ?? ''))];
  const { output } = await cruise(rooms, { ...options, baseDir: dir, validate: true, ruleSet: { forbidden } });
  refused = (output as ICruiseResult).summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function write(path: string, text: string) {
  await mkdir(dirname(join(dir, path)), { recursive: true });
  await writeFile(join(dir, path), text);
}

test('every rule has a seeded violation', () => {
  expect(Object.keys(violations).sort()).toEqual(forbidden.map(({ name }) => name).sort());
});

test.each(Object.entries(violations))('%s refuses its seeded violation', (rule, { from }) => {
  // A circle is reported once, from one of its files.
  expect(refused.filter((each) => each.rule === rule).flatMap((each) => [each.from, each.to])).toContain(from);
});

test('the imports that the rooms allow are not refused', () => {
  const files = new Set(allowed.map(({ from }) => from));
  expect(refused.filter(({ from }) => files.has(from))).toEqual([]);
});
