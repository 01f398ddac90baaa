import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createArtifacts } from '../../../adapters/postgres/artifacts/artifacts.ts';
import { createErasure } from '../../../adapters/postgres/erasure/erasure.ts';
import { createLedger } from '../../../adapters/postgres/ledger/ledger.ts';
import { artifactLimits, type NewArtifact } from '../../../contract/artifacts.ts';
import type { Artifacts } from '../../../contract/ports/index.ts';
import type { Scope, TaskRef } from '../../../contract/references.ts';
import { createLedgerHarness, local, run, type LedgerHarness } from '../../support/ledger/ledger-harness.ts';

let harness: LedgerHarness;
let artifacts: Artifacts;
beforeAll(async () => {
  harness = await createLedgerHarness();
  artifacts = createArtifacts(harness.db);
});
afterAll(() => harness?.close());

const file = (name: string, content: string | Uint8Array = name, mediaType = 'text/csv'): NewArtifact => ({
  name,
  mediaType,
  bytes: typeof content === 'string' ? new TextEncoder().encode(content) : content,
});

const beginCall = (task: TaskRef, callId: string) =>
  harness.ledger.beginToolCall(task, { ...run, callId, tool: 'compute', step: 1, arguments: {} });

const resultOf = (callId: string, files: NewArtifact[], output = 'made') => ({
  callId,
  tool: 'compute',
  step: 1,
  output,
  isError: false,
  summary: 's',
  durationMs: 1,
  maxCharacters: 1_000,
  artifacts: files,
});

async function makeFiles(task: TaskRef, files: NewArtifact[], callId = 'c1') {
  await beginCall(task, callId);
  return harness.ledger.completeToolCall(task, resultOf(callId, files));
}

async function contentOf(owner: Scope, taskId: string, artifactId: string): Promise<Buffer | undefined> {
  const open = await artifacts.open(owner, taskId, artifactId);
  const parts: Buffer[] = [];
  for await (const part of open?.content ?? []) parts.push(part);
  return open && Buffer.concat(parts);
}

const namesOf = async (task: TaskRef) => (await artifacts.list(task, task.taskId)).map(({ name }) => name);
const countContents = async (text: string) =>
  (await harness.pool.query(`select from contents where position($1::bytea in bytes) > 0`, [Buffer.from(text)])).rows
    .length;
const readOutput = async (task: TaskRef, callId: string) =>
  JSON.parse((await harness.messageStore.findToolResult(task, task.taskId, callId)) ?? 'null');

test('the files of a call are stored with its result, and read as they were made', async () => {
  const { task } = await harness.newTask();
  // More than is in memory at once while it is read.
  const large = Buffer.alloc(9_000_001, 'abc');
  await makeFiles(task, [file('a.csv', 'x,y'), file('large.bin', large, 'application/zip'), file('empty.txt', '')]);
  const listed = await artifacts.list(local, task.taskId);
  expect(listed).toMatchObject([
    { taskId: task.taskId, name: 'a.csv', mediaType: 'text/csv', bytes: 3 },
    { name: 'large.bin', mediaType: 'application/zip', bytes: large.length },
    { name: 'empty.txt', bytes: 0 },
  ]);
  for (const [index, content] of [Buffer.from('x,y'), large, Buffer.alloc(0)].entries()) {
    const { id, sha256 } = listed[index]!;
    expect((await contentOf(local, task.taskId, id))?.equals(content)).toBe(true);
    expect(sha256).toBe(createHash('sha256').update(content).digest('hex'));
  }
  expect((await harness.tasks.get(local, task.taskId))?.artifacts).toEqual(listed);
  const events = await harness.eventsOf(task);
  expect(events.map(({ type }) => type)).toEqual([
    'task.queued',
    'task.started',
    'tool.started',
    'artifact.created',
    'artifact.created',
    'artifact.created',
    'tool.completed',
  ]);
  expect(events[3]?.data).toEqual({
    step: 1,
    callId: 'c1',
    tool: 'compute',
    artifactId: listed[0]?.id,
    name: 'a.csv',
    mediaType: 'text/csv',
    bytes: 3,
    sha256: listed[0]?.sha256,
  });
});

test('a repeated attempt, also one at the same time, makes no second file', async () => {
  const { task } = await harness.newTask();
  await beginCall(task, 'c1');
  const attempts = [1, 2, 3].map((n) =>
    harness.ledger.completeToolCall(task, resultOf('c1', [file('chart.svg', `attempt ${n}`)], `attempt ${n}`)),
  );
  const results = await Promise.all(attempts);
  expect(new Set(results.map(({ result }) => result)).size).toBe(1);
  await harness.ledger.completeToolCall(task, resultOf('c1', [file('late.svg')]));
  const [kept, ...others] = await artifacts.list(local, task.taskId);
  expect(others).toEqual([]);
  // The file and the result are those of one attempt.
  expect((await contentOf(local, task.taskId, kept!.id))?.toString()).toBe(await readOutput(task, 'c1'));
  expect((await harness.eventTypes(task)).filter((type) => type === 'artifact.created')).toHaveLength(1);
});

test('no other subject, tenant or task reaches a file', async () => {
  const { task } = await harness.newTask();
  const { task: other } = await harness.newTask();
  await makeFiles(task, [file('secret.csv')]);
  const [secret] = await artifacts.list(local, task.taskId);
  const id = secret?.id ?? '';
  for (const scope of [
    { ...local, subject: 'eve' },
    { ...local, tenant: 'other' },
  ]) {
    expect(await artifacts.list(scope, task.taskId)).toEqual([]);
    expect(await artifacts.open(scope, task.taskId, id)).toBeUndefined();
  }
  expect(await artifacts.open(local, other.taskId, id)).toBeUndefined();
  expect(await artifacts.open(local, 'no id', id)).toBeUndefined();
  expect(await artifacts.open(local, task.taskId, '1; drop table')).toBeUndefined();
});

test('the files of a delegated task are shown at the tasks above it, and not beside or below', async () => {
  const { task: parent } = await harness.newTask();
  const { task: child } = await harness.newTask();
  const { task: grandchild } = await harness.newTask();
  await harness.pool.query('update tasks set parent_id = $2, ancestors = $3 where id = $1', [
    child.taskId,
    parent.taskId,
    [parent.taskId],
  ]);
  await harness.pool.query('update tasks set parent_id = $2, ancestors = $3 where id = $1', [
    grandchild.taskId,
    child.taskId,
    [parent.taskId, child.taskId],
  ]);
  await makeFiles(parent, [file('of-parent.csv')]);
  await makeFiles(child, [file('of-child.csv')]);
  await makeFiles(grandchild, [file('of-grandchild.csv')]);
  expect(await namesOf(parent)).toEqual(['of-parent.csv', 'of-child.csv', 'of-grandchild.csv']);
  expect(await namesOf(child)).toEqual(['of-child.csv', 'of-grandchild.csv']);
  expect(await namesOf(grandchild)).toEqual(['of-grandchild.csv']);
  const [ofGrandchild] = await artifacts.list(local, grandchild.taskId);
  expect(ofGrandchild?.taskId).toBe(grandchild.taskId);
  expect(await contentOf(local, parent.taskId, ofGrandchild!.id)).toBeDefined();
  expect((await harness.tasks.get(local, parent.taskId))?.artifacts).toHaveLength(3);
});

test('a task keeps no more than its limits, and the model reads what was not kept', async () => {
  const { task } = await harness.newTask();
  const tooLarge = file('large.bin', new Uint8Array(artifactLimits.bytes + 1));
  const many = Array.from({ length: artifactLimits.perTask }, (_, n) => file(`${n}.csv`));
  await makeFiles(task, [tooLarge, ...many, file('one-more.csv')]);
  expect(await namesOf(task)).toEqual(many.map(({ name }) => name));
  const { note, result } = await readOutput(task, 'c1');
  expect(result).toBe('made');
  expect(note).toContain('large.bin has 20.0 MB');
  expect(note).toContain('one-more.csv: the task has 50 files already');
});

test('calls of one step that end at the same time share the limits', async () => {
  const { task } = await harness.newTask();
  const calls = ['c1', 'c2', 'c3'];
  const many = Array.from({ length: 20 }, (_, n) => file(`${n}.csv`));
  for (const callId of calls) await beginCall(task, callId);
  await Promise.all(calls.map((callId) => harness.ledger.completeToolCall(task, resultOf(callId, many))));
  expect(await namesOf(task)).toHaveLength(artifactLimits.perTask);
});

test('the result of a call names the files that were kept, and says of ten others why they were not', async () => {
  const { task } = await harness.newTask();
  await beginCall(task, 'c1');
  const files = Array.from({ length: 65 }, (_, n) => file(`${n}.csv`));
  const names = files.map(({ name }) => name);
  const counts: number[] = [];
  const call = {
    ...resultOf('c1', files),
    output: { result: 1, files: names },
    maxCharacters: 10_000,
    onKept: (kept: number) => counts.push(kept),
  };
  await harness.ledger.completeToolCall(task, call);
  await harness.ledger.completeToolCall(task, call);
  const { note, result } = await readOutput(task, 'c1');
  expect(result).toEqual({ result: 1, files: names.slice(0, 50) });
  expect(note).toContain('59.csv: the task has 50 files already');
  expect(note).not.toContain('60.csv');
  expect(note).toMatch(/So it is with 5 more\.$/);
  expect(counts).toEqual([50]);
  const events = await harness.events.read(local, task.taskId, 0, 100);
  expect(events.at(-1)).toMatchObject({
    type: 'tool.completed',
    data: { summary: expect.stringMatching(/\(15 files were not kept\)$/) },
  });
});

test('a name and a summary of any length are cut', async () => {
  const { task } = await harness.newTask();
  await beginCall(task, 'c1');
  const files = [file(`a${' '.repeat(1_000_000)}x.csv`)];
  await harness.ledger.completeToolCall(task, { ...resultOf('c1', files), summary: 's'.repeat(10_000) });
  expect(await namesOf(task)).toEqual([`a${' '.repeat(195)}.csv`]);
  const completed = (await harness.eventsOf(task)).find(({ type }) => type === 'tool.completed');
  expect(completed?.data).toMatchObject({ summary: `${'s'.repeat(500)}…` });
});

test('files go with their task, and a content that another task has stays', async () => {
  const erasure = createErasure(harness.db, harness.log);
  const { task } = await harness.newTask();
  const { task: other } = await harness.newTask();
  await makeFiles(task, [file('own.csv', 'ONLY HERE'), file('both.csv', 'IN BOTH')]);
  await makeFiles(other, [file('both.csv', 'IN BOTH')]);
  const [own] = await artifacts.list(local, task.taskId);
  for (const { taskId } of [task, other])
    await harness.tasks.close({ ...task, taskId }, undefined, { status: 'cancelled', reason: 'test' });
  await erasure.deleteTask(local, task.taskId);
  expect([await countContents('ONLY HERE'), await countContents('IN BOTH')]).toEqual([0, 1]);
  expect(await artifacts.list(local, task.taskId)).toEqual([]);
  expect(await artifacts.open(local, task.taskId, own!.id)).toBeUndefined();
  await erasure.deleteTask(local, other.taskId);
  expect(await countContents('IN BOTH')).toBe(0);
});

test('a file that is a result’s own text stays as long as the result', async () => {
  const erasure = createErasure(harness.db, harness.log);
  const { task } = await harness.newTask();
  const { task: other } = await harness.newTask();
  // The same bytes: one row of `contents`.
  await makeFiles(task, [file('same.json', '"SAME BYTES"', 'application/json')]);
  await beginCall(other, 'c1');
  await harness.ledger.completeToolCall(other, resultOf('c1', [], 'SAME BYTES'));
  await harness.tasks.close(task, undefined, { status: 'cancelled', reason: 'test' });
  await erasure.deleteTask(local, task.taskId);
  expect(await readOutput(other, 'c1')).toBe('SAME BYTES');
});

test('files that are stored while their task is erased go with it, and later ones are refused', async () => {
  const erasure = createErasure(harness.db, harness.log);
  const { task } = await harness.newTask();
  await beginCall(task, 'c1');
  await beginCall(task, 'c2');
  await harness.tasks.close(task, undefined, { status: 'cancelled', reason: 'test' });
  let erasing: Promise<unknown> | undefined;
  await harness.db.transaction().execute(async (trx) => {
    await createLedger(trx).completeToolCall(task, resultOf('c1', [file('during.csv', 'DURING')]));
    erasing = erasure.deleteTask(local, task.taskId);
    await harness.untilStatementsWait(1);
  });
  await erasing;
  const late = harness.ledger.completeToolCall(task, resultOf('c2', [file('after.csv', 'AFTERWARDS')]));
  await expect(late).rejects.toMatchObject({ code: 'superseded' });
  expect([await countContents('DURING'), await countContents('AFTERWARDS')]).toEqual([0, 0]);
});
