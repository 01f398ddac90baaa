import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Adapters } from '../../wiring/adapters.ts';
import type { UploadedFile } from '../../contract/ports/index.ts';
import { documentsQueue } from '../../contract/ids.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startWorkers } from '../../workers/compose.ts';
import { createAdapterEnvironment, type AdapterEnvironment } from '../support/environment/adapter-environment.ts';
import { startIngestion } from '../support/documents/ingestion.ts';
import { startRole } from '../support/processes/role-process.ts';
import { createWordEmbedder } from '../support/documents/word-embedder.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Number of files. 1,000 take two minutes, which is too long for every run. */
const wantedFiles = Number(process.env.ALFRED_TEST_FILES ?? 150);
const kills = 5;

let env: AdapterEnvironment;
let adapters: Adapters;
beforeAll(async () => {
  env = await createAdapterEnvironment({ ALFRED_SHUTDOWN_GRACE_S: '0', ALFRED_EMBEDDINGS: 'none' });
  adapters = env.adapters;
});
afterAll(() => env?.close());

/** Real files: the examples, and the documentation and data in this project's packages. */
async function mixedFiles(): Promise<UploadedFile[]> {
  const kinds = /\.(md|markdown|txt|html|json|csv|pdf|docx)$/i;
  const files: UploadedFile[] = [];
  const take = async (folder: string, limit: number) => {
    const names = (await readdir(join(root, folder), { recursive: true })).filter((name) => kinds.test(name)).sort();
    const step = Math.max(1, Math.floor(names.length / limit));
    for (let i = 0; i < names.length && files.length < limit; i += step) {
      const name = names[i] ?? '';
      const path = join(root, folder, name);
      const { size } = await stat(path);
      if (size < 200_000) files.push({ name: `${folder}/${name}`, mediaType: '', bytes: await readFile(path) });
    }
  };
  await take('docs/examples/policies', 20);
  await take('test/fixtures/documents', files.length + 20);
  await take('node_modules', wantedFiles);
  return files;
}

const start = (tenant: string, files: UploadedFile[]) =>
  startIngestion({ client: env.client, documents: adapters.documents }, { tenant, subject: 'local' }, files);

/** What is stored of a tenant, without ids that differ from run to run. */
async function stored(tenant: string) {
  const { rows } = await env.postgres.pool.query(
    `select d.name, d.content_hash, d.title, d.language, md5(d.text) as text,
       array_agg(concat_ws(' ', split_part(c.id, '.', 2), split_part(c.id, '.', 3), c.start_at, c.end_at, c.page, c.gap = '', c.embed_hash) order by c.ordinal) as chunks
     from documents d join chunks c on c.document_id = d.id where d.tenant = $1 group by d.id order by d.name`,
    [tenant],
  );
  return rows;
}
/** Changes whenever a row is written. */
const writesOf = async (tenant: string) =>
  (
    await env.postgres.pool.query(
      `select (select max(seq) from document_changes where tenant = $1) as change,
         (select md5(string_agg(d.xmin::text, ',' order by d.id)) from documents d where tenant = $1) as documents,
         (select md5(string_agg(c.xmin::text, ',' order by c.id)) from chunks c join documents d on d.id = c.document_id where tenant = $1) as chunks`,
      [tenant],
    )
  ).rows[0];

const inProcess = () => startWorkers({ ...env, metrics: createMetrics() }, adapters, [documentsQueue]);

test(`a folder of mixed real files, read through ${kills} kills, gives the same rows as without kills, and costs nothing the second time`, async () => {
  const files = await mixedFiles();
  const interrupted = await start('killed', files);
  let worker = startRole('workers/main.ts', ['--queue', documentsQueue], env.config);
  for (let kill = 1; kill <= kills; kill++) {
    const target = (files.length * kill) / (kills + 2);
    await worker.ready;
    await until(
      `${target} files are read`,
      async () => files.length - (await interrupted.state()).counts.pending >= target,
      { withinMs: 120_000, everyMs: 20 },
    );
    await worker.end('SIGKILL');
    if (kill < kills) worker = startRole('workers/main.ts', ['--queue', documentsQueue], env.config);
  }
  expect((await interrupted.state()).counts.pending).toBeGreaterThan(0);

  const workers = await inProcess();
  try {
    const killed = await interrupted.handle.result();
    const whole = await start('whole', files);
    const counts = await whole.handle.result();
    console.log(`${files.length} files, ${kills} kills: ${JSON.stringify(counts)}`);
    expect(killed).toEqual(counts);
    expect(counts.pending).toBe(0);
    expect(counts.added).toBeGreaterThan(files.length * 0.7);
    const { failures } = await whole.state();
    expect(failures).toHaveLength(counts.failed);
    expect((await interrupted.state()).failures).toEqual(failures);
    for (const { name, error } of failures)
      expect([name, error?.code, (error?.message.length ?? 0) > name.length + 20]).toEqual([
        name,
        expect.stringMatching(/^file_/),
        true,
      ]);
    expect(await stored('killed')).toEqual(await stored('whole'));

    const embedder = createWordEmbedder();
    const embedAll = async () => {
      while (true) {
        const missing = await embedder.missing(env.postgres.db);
        if (missing.length === 0) return;
        await embedder.store(env.postgres.db, missing);
      }
    };
    await embedAll();
    const before = { writes: await writesOf('whole'), embedded: embedder.embedded() };
    expect(await (await start('whole', files)).handle.result()).toEqual({
      pending: 0,
      added: 0,
      replaced: 0,
      failed: counts.failed,
      unchanged: counts.added,
    });
    await embedAll();
    expect({ writes: await writesOf('whole'), embedded: embedder.embedded() }).toEqual(before);

    // After one edit, only the changed chunk is embedded.
    const edited = files.find(({ name }) => name.endsWith('travel.md'));
    if (!edited) throw new Error('the examples have it');
    const text = Buffer.from(edited.bytes).toString().replace('0.38 EUR', '0.41 EUR');
    expect(await (await start('whole', [{ ...edited, bytes: Buffer.from(text) }])).handle.result()).toMatchObject({
      replaced: 1,
    });
    const missing = await embedder.missing(env.postgres.db);
    expect(missing.map((chunk) => chunk.text)).toEqual([expect.stringContaining('0.41 EUR')]);
  } finally {
    await workers.stop();
  }
}, 400_000);
