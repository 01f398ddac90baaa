import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTaskHarness, type TaskHarness } from '../support/tasks/task-harness.ts';
import { alfred } from './run-alfred.ts';

let harness: TaskHarness;
let environment: Record<string, string>;
let taskId: string;
let folder: string;

beforeAll(async () => {
  harness = await createTaskHarness();
  const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ALFRED_DATA_DIR } = harness.config;
  environment = { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ALFRED_DATA_DIR };
  folder = join(ALFRED_DATA_DIR, 'histories');
  harness.tool('search_documents', async () => ({ output: { passages: [] }, summary: 'found nothing' }));
  harness.script([{ calls: [{ tool: 'search_documents', arguments: { query: 'x' } }] }, { text: ['Done.'] }]);
  const { id, handle } = await harness.start();
  await handle.result();
  taskId = id;
});
afterAll(() => harness?.close());

const exported = () => join(folder, 'agentTaskWorkflow-one-tool.json');

test('a finished task replays, by task id and by workflow id', async () => {
  const { code, stdout } = await alfred(['replay', taskId], environment);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^pass {2}task\/\S+ \(\d+ events, [\d.]+ kB, [\d.]+ m?s\)\n$/),
  });
  expect((await alfred(['replay', `task/${taskId}`], environment)).code).toBe(0);
});

test('an exported history replays from its file, holds references only, and is not overwritten', async () => {
  const first = await alfred(['history', 'export', taskId, '--name', 'one-tool', '--to', folder], environment);
  expect({ code: first.code, warned: first.stderr.includes('carries') }).toEqual({ code: 0, warned: false });
  expect(await readFile(exported(), 'utf8')).not.toContain('Done.');
  const again = await alfred(['history', 'export', taskId, '--name', 'one-tool', '--to', folder], environment);
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('is there already');
  const { code, stderr } = await alfred(['replay', '--all-from', folder], environment);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect((await readdir(folder)).length).toBe(1);
});

test('a history that differs from the code is described, and the exit code is 1', async () => {
  const other = join(harness.config.ALFRED_DATA_DIR, 'other');
  await mkdir(other, { recursive: true });
  const text = await readFile(exported(), 'utf8');
  await writeFile(join(other, 'renamed.json'), text.replaceAll('"callModel"', '"askModel"'));
  const renamed = await alfred(['replay', join(other, 'renamed.json')], environment);
  expect(renamed.code).toBe(1);
  expect(renamed.stdout).toMatch(/FAIL/);
  expect(renamed.stdout.replace(/\s+/g, ' ')).toMatch(
    /History, event \d+ ActivityTaskScheduled: .*askModel.*The code asks for callModel there/,
  );
});

test('a file that is not a history, a missing file and a missing argument are usage errors', async () => {
  const broken = join(harness.config.ALFRED_DATA_DIR, 'broken.json');
  await writeFile(broken, '{"events": [');
  const empty = join(harness.config.ALFRED_DATA_DIR, 'empty.json');
  await writeFile(empty, '{"tasks": []}');
  for (const [args, message] of [
    [['replay', broken], 'is not JSON'],
    [['replay', empty], 'is not a workflow history'],
    [['replay', join(folder, 'missing.json')], 'there is no such file'],
    [['replay'], 'Name one thing to replay'],
  ] as const) {
    const { code, stderr } = await alfred([...args], environment);
    expect({ args, code, stderr }).toEqual({ args, code: 2, stderr: expect.stringContaining(message) });
  }
  const unknown = await alfred(['replay', '0198c5c6-1111-7000-8000-000000000000'], environment);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain('There is no workflow "task/0198c5c6');
});
