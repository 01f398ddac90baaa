import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentsQueue } from '../../contract/ids.ts';
import { startWorkers, type RunningWorkers } from '../../workers/compose.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { alfred } from './run-alfred.ts';

let harness: ApiHarness;
let workers: RunningWorkers;
let folder: string;
beforeAll(async () => {
  harness = await createApiHarness({ ALFRED_MAX_UPLOAD_MB: '0.02' });
  workers = await startWorkers(harness, harness, [documentsQueue]);
  folder = await mkdtemp(join(tmpdir(), 'alfred-add-'));
  await mkdir(join(folder, 'rules'));
  // Each file is below the server's limit, and all together are far above it.
  for (let i = 0; i < 20; i++)
    await writeFile(
      join(folder, 'rules', `rule-${i}.md`),
      `# Rule ${i}\n\n${'Bicycles are parked outside. '.repeat(100)}`,
    );
});
afterAll(async () => {
  await workers?.stop();
  await harness?.close();
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => alfred(args, { ALFRED_URL: harness.url, NO_COLOR: '1' }, { cwd: folder });

test('a folder larger than the server’s limit is added completely, and adding it again changes nothing', async () => {
  const first = await run('documents', 'add', join(folder, 'rules'));
  expect({ code: first.code, stdout: first.stdout }).toEqual({
    code: 0,
    stdout: '20 added, 0 replaced, 0 unchanged, 0 failed\n',
  });
  const again = await run('documents', 'add', join(folder, 'rules'));
  expect(again.stdout).toBe('0 added, 0 replaced, 20 unchanged, 0 failed\n');
});

test('files that cannot be read are listed with the reason, the others are added, and the exit code is 1', async () => {
  const mixed = join(folder, 'mixed');
  await mkdir(mixed);
  await writeFile(join(mixed, 'good.md'), '# Good\n\nA sentence.');
  await writeFile(join(mixed, 'broken.pdf'), '%PDF-1.7 broken');
  await writeFile(join(mixed, 'large.md'), 'x '.repeat(30_000));
  const { code, stdout, stderr } = await run('documents', 'add', mixed);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '1 added, 0 replaced, 0 unchanged, 2 failed\n' });
  expect(stderr).toMatch(/mixed\/broken\.pdf: \S.{10,}/);
  expect(stderr).toMatch(/mixed\/large\.md: .*ALFRED_MAX_UPLOAD_MB/s);
});

test('failed files are read again with the ingestion’s id, which the command prints', async () => {
  const path = join(folder, 'late.pdf');
  await writeFile(path, '%PDF-1.7 still broken');
  const { stderr } = await run('documents', 'add', path);
  const id = /alfred documents retry (\S+)/.exec(stderr)?.[1] ?? '';
  const again = await run('documents', 'retry', id);
  expect(again).toMatchObject({ code: 1, stdout: '0 added, 0 replaced, 0 unchanged, 1 failed\n' });
  expect(again.stderr).toContain(`alfred documents retry ${id}`);
  await writeFile(join(folder, 'late.md'), '# Late');
  const fine = await run('documents', 'add', join(folder, 'late.md'));
  expect([fine.code, fine.stderr.includes('documents retry')]).toEqual([0, false]);
  const unknown = await run('documents', 'retry', '01a2016f-73a4-7695-9a05-0f2fb996e093');
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no ingestion') });
});

test('collections are set, shown and listed, and invalid settings are refused', async () => {
  expect((await run('collections', 'set', 'rules', '--chunk-tokens', '100')).stdout).toMatch(/^chunk +100 tokens$/m);
  const set = await run('collections', 'set', 'rules', '--overlap-tokens', '20');
  expect(set.stdout).toMatch(/^chunk +100 tokens\noverlap +20 tokens$/m);
  expect((await run('collections')).stdout).toMatch(/^rules +100 +20 +0 +0 +0$/m);
  const changed = await run('collections', 'set', 'default', '--chunk-tokens', '64');
  expect(changed.stderr).toMatch(/\d+ documents cut by other settings/);
  expect((await run('collections', 'show', 'default')).stdout).toMatch(/^chunk +64 tokens$/m);
  expect((await run('collections', 'set', 'rules', '--overlap-tokens', '50')).code).toBe(2);
  expect((await run('collections', 'set', 'rules')).code).toBe(2);
  expect((await run('collections', 'set', 'rules', '--chunk-tokens', 'many')).code).toBe(2);
  expect(await run('collections', 'show', 'none')).toMatchObject({ code: 1 });
});

test('documents are listed, found and removed by name', async () => {
  expect((await run('documents', 'list')).stdout).toMatch(/^rules\/rule-7\.md +Rule 7/m);
  expect((await run('search', 'bicycles', 'parked')).stdout).toContain('Bicycles are parked outside.');
  expect((await run('documents', 'remove', 'rules/rule-7.md')).code).toBe(0);
  expect((await run('documents', 'list')).stdout).not.toContain('rule-7.md');
  const unknown = await run('documents', 'remove', 'rule-8');
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain('Did you mean rules/rule-8.md?');
});

test('a name that is in two collections is removed from the one that --collection names', async () => {
  const path = join(folder, 'twice.md');
  await writeFile(path, '# Twice');
  await run('documents', 'add', path);
  await run('documents', 'add', path, '-c', 'other');
  const listed = (await run('documents', 'list')).stdout;
  for (const collection of ['default', 'other'])
    expect(listed).toMatch(new RegExp(`twice\\.md +Twice +${collection} `));
  const { code, stderr } = await run('documents', 'remove', 'twice.md');
  expect([code, stderr]).toEqual([1, expect.stringMatching(/default, other.*--collection/s)]);
  expect((await run('documents', 'remove', 'twice.md', '-c', 'other')).code).toBe(0);
  expect((await run('documents', 'remove', 'twice.md')).code).toBe(0);
  expect((await run('documents', 'list')).stdout).not.toContain('twice.md');
});

test('nothing to add is a usage error', async () => {
  const empty = join(folder, 'empty');
  await mkdir(empty);
  const { code, stderr } = await run('documents', 'add', empty);
  expect(code).toBe(2);
  expect(stderr).toContain('There is nothing to add');
});
