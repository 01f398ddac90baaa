import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { systemQueue } from '../../contract/ids.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { alfred, runAlfred } from './run-alfred.ts';

let harness: ApiHarness;
let folder: string;
beforeAll(async () => {
  harness = await createApiHarness({}, {}, { queues: [systemQueue] });
  folder = await mkdtemp(join(tmpdir(), 'alfred-contacts-'));
});
afterAll(async () => {
  await harness?.close();
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => alfred(['contacts', ...args], { ALFRED_URL: harness.url, NO_COLOR: '1' });
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout);

test('a file is added, its rejected lines come back, and contacts are found, shown, parted and deleted', async () => {
  const added = await run('add', 'docs/examples/contacts/fair.csv', '--country', 'DE');
  expect(added).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\S+ completed: 7 lines, 3 added, 2 merged, 0 unchanged, 2 rejected\n$/),
    stderr: expect.stringMatching(/alfred contacts uploads rejected \S+\n$/),
  });
  const [id = ''] = added.stdout.split(' ');
  const rejected = await run('uploads', 'rejected', id);
  expect(rejected.stdout).toMatch(/^\uFEFFalfred_line,alfred_reason,Name,E-Mail/);
  expect(rejected.stdout).toContain('8,"email: ""dan.wu@"" is no e-mail address"');
  expect((await run('list', '--search', 'lee')).stdout).toMatch(/Ann Lee +ann\.lee@northwind\.example +\+4930901820/);
  expect((await run('uploads')).stdout).toMatch(/fair\.csv +completed +7 +3 +2 +2\n$/);
  const { merges } = await json('merges', 'list', '--upload', id);
  expect(merges.map(({ reason }: { reason: string }) => reason)).toEqual(['name', 'email']);
  const { partedId } = await json('merges', 'undo', merges[0].id);
  expect(JSON.parse((await run('show', partedId)).stdout)).toMatchObject({ emails: ['carla@rossi.example'] });
  expect((await run('merges', '--contact', merges[0].contactId)).stdout).toMatch(/undone\n$/);
  expect((await run('remove', partedId)).stderr).toMatch(/is deleted/);
  expect((await run('show', partedId)).code).toBe(1);
  expect((await json('uploads', 'cancel', id)).status).toBe('completed');
  expect((await json('uploads', 'show', id)).lines).toBe(7);
  expect((await run('uploads', 'remove', id)).code).toBe(0);
  expect((await run('uploads', 'show', id)).code).toBe(1);
});

test('a file that is none of contacts, is not there or cannot be read is an error that says so', async () => {
  const odd = join(folder, 'odd.csv');
  await writeFile(odd, 'name\nAnn\n');
  expect(await run('add', 'README.md')).toMatchObject({ code: 2, stderr: expect.stringContaining('.vcf') });
  expect(await run('add', join(folder, 'none.csv'))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('none'),
  });
  expect(await run('add', odd)).toMatchObject({ code: 1, stderr: expect.stringContaining('no column for e-mail') });
});

test('a watched folder sends each file once, keeps rejected lines beside it, and sorts out what is refused', async () => {
  await writeFile(join(folder, 'a.csv'), 'email\nwatched@example.com\nnobody\n');
  await writeFile(join(folder, 'b.vcf'), 'no card');
  await writeFile(join(folder, 'notes.txt'), 'left alone');
  const odd = await run('watch', folder, '--once', '--every', '1', '--json');
  const files = odd.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(files).toMatchObject([
    { file: 'a.csv', ingest: { source: 'folder', counts: { added: 1, rejected: 1 } } },
    { file: 'b.vcf', error: expect.stringContaining('expected BEGIN:VCARD') },
    { file: 'odd.csv', error: expect.stringContaining('no column') },
  ]);
  expect(odd.code).toBe(1);
  expect(await readdir(folder)).toEqual(['done', 'failed', 'notes.txt']);
  const [rejected = '', done] = (await readdir(join(folder, 'done'))).sort().toReversed();
  expect([done, rejected]).toEqual([`a-${files[0].ingest.id}.csv`, `a-${files[0].ingest.id}.rejected.csv`]);
  expect(await readFile(join(folder, 'done', rejected), 'utf8')).toContain('is no e-mail address');
  const failed = await readdir(join(folder, 'failed'));
  expect(failed.filter((name) => name.endsWith('.reason.txt'))).toHaveLength(2);
  expect((await run('watch', folder, '--once', '--every', '1')).stdout).toBe('');

  // Until Ctrl-C.
  const watching = runAlfred(['contacts', 'watch', folder, '--every', '1'], { ALFRED_URL: harness.url });
  await watching.waitForOutput('Watching');
  await writeFile(join(folder, 'c.csv'), 'email\nlater@example.com\n');
  await watching.waitForOutput('1 added');
  watching.child.kill('SIGINT');
  expect((await watching.done).code).toBe(0);
});
