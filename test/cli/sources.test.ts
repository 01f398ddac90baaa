import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentsQueue } from '../../contract/ids.ts';
import { startWorkers, type RunningWorkers } from '../../workers/compose.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { createWebSite, type WebSite } from '../support/fakes/web-site.ts';
import { alfred } from './run-alfred.ts';

let harness: ApiHarness;
let workers: RunningWorkers;
let site: WebSite;
beforeAll(async () => {
  harness = await createApiHarness({ ALFRED_OUTBOUND_ALLOW: '127.0.0.1/32' });
  workers = await startWorkers(harness, harness, [documentsQueue]);
  site = await createWebSite();
  for (const words of ['leave', 'travel']) site.page(`/${words}`, words);
  site.sitemap('/sitemap.xml', ['/leave', '/travel']);
});
afterAll(async () => {
  await workers?.stop();
  await site?.close();
  await harness?.close();
});

const sources = (...args: string[]) => alfred(['sources', ...args], { ALFRED_URL: harness.url, NO_COLOR: '1' });

test('a source is added, followed, shown, changed, synced again and removed', async () => {
  expect(await sources('list')).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('sources add') });
  const added = await sources('add', `${site.url}/sitemap.xml`, '--every', '86400', '-c', 'site', '-t', 'web');
  const [id = '', summary] = added.stdout.split('\n');
  expect({ code: added.code, summary }).toEqual({
    code: 0,
    summary: '2 added, 0 replaced, 0 unchanged, 0 removed, 0 failed',
  });
  expect((await sources('list')).stdout).toMatch(
    new RegExp(`^${id} +${site.url}/sitemap.xml +every 86400 s +completed .* 2$`, 'm'),
  );
  site.sitemap('/sitemap.xml', ['/leave', '/missing/page', '/secret']);
  site.set('/secret', { status: 401 });
  const again = await sources('sync', id);
  expect(again).toMatchObject({ code: 1, stdout: '0 added, 0 replaced, 1 unchanged, 2 removed, 1 failed\n' });
  expect(again.stderr).toContain(`  ${site.host}/secret: `);
  const { stdout } = await sources('show', id);
  expect(stdout).toMatch(/^items +1 unchanged, 1 failed, 2 removed$/m);
  expect(stdout).toContain('Not read:');
  const set = await sources('set', id, '--no-every', '-c', 'intranet', '--private', '-t', 'a', 'b');
  expect(set.code).toBe(0);
  for (const line of [/^collection +intranet$/m, /^readers +only you$/m, /^tags +a, b$/m, /^again +on request$/m])
    expect(set.stdout).toMatch(line);
  expect(set.stderr).toContain('documents follow');
  expect((await sources('set', id, '--no-tag')).code).toBe(0);
  const later = await sources('set', id, '--every', '3600');
  expect(later).toMatchObject({ stdout: expect.stringMatching(/^again +every 3600 s$/m), stderr: '' });
  expect(await sources('remove', id)).toMatchObject({ code: 0 });
  expect(await sources('show', id)).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no source') });
});

test('a failed sync is reported with the reason, and the exit code is 1', async () => {
  const { code, stderr } = await sources('add', `${site.url}/leave`, '--sitemap');
  expect(code).toBe(1);
  expect(stderr).toMatch(/The sitemap of .* cannot be read/);
});

test('a repository is recognised by .git or by an option for repositories, and its errors are reported', async () => {
  for (const args of [[`${site.url}/handbook.git`], [`${site.url}/handbook`, '--folder', 'docs']]) {
    const { code, stderr } = await sources('add', ...args);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('has no repository') });
  }
});

test('invalid options are usage errors', async () => {
  expect((await sources('add', `${site.url}/a`, '--private', '-r', 'everyone')).code).toBe(2);
  expect((await sources('add', `${site.url}/a`, '--every', 'day')).code).toBe(2);
  expect((await sources('set', 'some-id')).code).toBe(2);
  expect((await sources('set', 'some-id', '--private', '-r', 'everyone')).code).toBe(2);
  expect(await sources('add', 'example.com')).toMatchObject({ code: 1, stderr: expect.stringContaining('address') });
});
