import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { alfred } from '../cli/run-alfred.ts';
import { signedIn } from '../support/principals.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

let api: ApiHarness;
const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';

beforeAll(async () => {
  api = await createApiHarness(
    {},
    {
      identify: ({ 'x-subject': subject = 'local', 'x-tenant': tenant = 'local' }) =>
        signedIn(String(subject), { tenant: String(tenant) }),
    },
  );
  api.tool('draw', async () => {
    return {
      output: { files: ['Größe "1".svg', 'page.html'] },
      summary: 'drew two files',
      artifacts: [
        { name: 'Größe "1".svg', mediaType: 'image/svg+xml', bytes: Buffer.from(svg) },
        { name: '../page.html', mediaType: 'text/html', bytes: Buffer.from('<script>1</script>') },
      ],
    };
  });
});
afterAll(() => api?.close());

const as = (subject: string, tenant = 'local') => ({ 'x-subject': subject, 'x-tenant': tenant });
const get = (path: string, headers: Record<string, string> = {}) => fetch(`${api.url}${path}`, { headers });

async function drawn() {
  api.script([{ calls: [{ tool: 'draw', arguments: {} }] }, { text: ['Drawn.'] }]);
  const { id } = await api.start();
  await api.followToEnd(id);
  const { body } = await api.http.get(`/v1/tasks/${id}/artifacts`);
  return { id, path: `/v1/tasks/${id}/artifacts`, artifacts: body.artifacts };
}

test('a task lists the files of its tools, and names them itself', async () => {
  const { id, artifacts } = await drawn();
  expect(artifacts).toMatchObject([
    { taskId: id, name: 'Größe _1_.svg', mediaType: 'image/svg+xml', bytes: Buffer.byteLength(svg) },
    { taskId: id, name: '_page.html', mediaType: 'application/octet-stream' },
  ]);
  expect((await api.http.get(`/v1/tasks/${id}`)).body.artifacts).toEqual(artifacts);
  const { body } = await api.http.get(`/v1/tasks/${id}/events/page`);
  const created = body.events.filter(({ type }: { type: string }) => type === 'artifact.created');
  expect(created.map(({ data }: { data: { artifactId: string } }) => data.artifactId)).toEqual(
    artifacts.map((artifact: { id: string }) => artifact.id),
  );
});

test('a file is downloaded as an attachment that a browser runs nothing of', async () => {
  const { path, artifacts } = await drawn();
  const response = await get(`${path}/${artifacts[0].id}`, { accept: 'text/html,image/*;q=0.5' });
  expect(response.status).toBe(200);
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(bytes.toString()).toBe(svg);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(artifacts[0].sha256);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'image/svg+xml',
    'content-length': String(bytes.length),
    'content-disposition': `attachment; filename="Gr__e _1_.svg"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20_1_.svg`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'cache-control': 'no-store',
    etag: `"${artifacts[0].sha256}"`,
  });
  const page = await get(`${path}/${artifacts[1].id}`);
  expect([page.headers.get('content-type'), await page.text()]).toEqual([
    'application/octet-stream',
    '<script>1</script>',
  ]);
});

test('who may read the task may read its files, and nobody else', async () => {
  const { id, path, artifacts } = await drawn();
  const file = `${path}/${artifacts[0].id}`;
  const statuses = async (headers: Record<string, string>) => [
    (await get(path, headers)).status,
    (await get(file, headers)).status,
  ];
  expect(await statuses(as('ann'))).toEqual([404, 404]);
  await api.http.request(`/v1/tasks/${id}/readers`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ readers: ['subject:ann'] }),
  });
  expect(await statuses(as('ann'))).toEqual([200, 200]);
  expect(await statuses(as('ben'))).toEqual([404, 404]);
  expect(await statuses(as('ann', 'other'))).toEqual([404, 404]);
  const other = await drawn();
  expect((await get(`${path}/${other.artifacts[0].id}`)).status).toBe(404);
  expect((await get(`${path}/no-id`)).status).toBe(404);
});

test('a task without files has an empty list, and a deleted one is gone with them', async () => {
  api.script([{ text: ['Nothing to draw.'] }]);
  const { id } = await api.start();
  await api.followToEnd(id);
  expect((await api.http.get(`/v1/tasks/${id}/artifacts`)).body).toEqual({ artifacts: [] });
  expect((await api.http.get(`/v1/tasks/${id}`)).body).not.toHaveProperty('artifacts');
  const { id: deleted, path, artifacts } = await drawn();
  await api.http.request(`/v1/tasks/${deleted}`, { method: 'DELETE' });
  expect([(await get(path)).status, (await get(`${path}/${artifacts[0].id}`)).status]).toEqual([404, 404]);
});

test('the command line lists the files and saves them beside what is there', async () => {
  const { id, artifacts } = await drawn();
  const folder = await mkdtemp(join(tmpdir(), 'artifacts-'));
  const env = { ALFRED_URL: api.url };
  const shown = await alfred(['tasks', 'artifacts', id], env);
  expect(shown.stdout).toContain('Größe _1_.svg');
  expect(shown.stdout).toContain('image/svg+xml');
  await writeFile(join(folder, '_page.html'), 'mine');
  const saved = await alfred(['tasks', 'artifacts', id, '--save', folder], env);
  expect(saved.code).toBe(0);
  expect((await readdir(folder)).sort()).toEqual(['Größe _1_.svg', '_page (2).html', '_page.html']);
  expect(await readFile(join(folder, '_page.html'), 'utf8')).toBe('mine');
  expect(await readFile(join(folder, 'Größe _1_.svg'), 'utf8')).toBe(svg);
  const one = await alfred(['tasks', 'artifacts', id, '--only', artifacts[0].id, '--json'], env);
  expect(JSON.parse(one.stdout).artifacts).toEqual([artifacts[0]]);
  const unknown = await alfred(['tasks', 'artifacts', id, '--only', 'x'], env);
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('has no file x')]);
});
