import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAdapters, type Adapters } from '../../wiring/adapters.ts';
import type { DocumentParser, UploadedFile } from '../../contract/ports/index.ts';
import type { Ingestion } from '../../contract/documents.ts';
import { AlfredError } from '../../contract/errors.ts';
import { documentsQueue } from '../../contract/ids.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startWorkers } from '../../workers/compose.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { startIngestion } from '../support/documents/ingestion.ts';
import { plainParser } from '../support/documents/plain-parser.ts';
import { sha256 } from '../support/documents/put-document.ts';
import { startRole } from '../support/processes/role-process.ts';
import { until } from '../support/until.ts';

const scope = { tenant: 'local', subject: 'local' };
const metrics = createMetrics();
let env: TestEnvironment;
let adapters: Adapters;

beforeAll(async () => {
  env = await createTestEnvironment({ ALFRED_SHUTDOWN_GRACE_S: '0' });
  adapters = createAdapters(env);
});
afterAll(async () => {
  await adapters?.close();
  await env?.close();
});

const worker = (parser: DocumentParser = plainParser) =>
  startWorkers({ ...env, metrics }, { ...adapters, parser: { ...parser, close: () => adapters.parser.close() } }, [
    documentsQueue,
  ]);
const file = (name: string, content: string | Uint8Array): UploadedFile => ({
  name,
  mediaType: 'text/plain',
  bytes: Buffer.from(content as string),
});

const start = (files: UploadedFile[]) =>
  startIngestion({ client: env.client, documents: adapters.documents }, scope, files);

/** Resolves once `settled` files are read. Polls often, so that the other files are still pending. */
const waitForFiles = (state: () => Promise<Omit<Ingestion, 'links'>>, settled: number) =>
  until(
    `${settled} files are read`,
    async () => {
      const { counts, files } = await state();
      return files - counts.pending >= settled;
    },
    { withinMs: 60_000, everyMs: 1 },
  );

describe('ingestWorkflow', () => {
  test('reads every file, and lists each unreadable one with the reason', async () => {
    const workers = await worker();
    try {
      const { handle, state } = await start([
        file('a.txt', '# Leave\n\nTwenty-five days.'),
        file('empty.txt', ''),
        file('b.txt', Buffer.from([0, 1, 2])),
      ]);
      expect(await handle.result()).toEqual({ pending: 0, added: 1, replaced: 0, unchanged: 0, failed: 2 });
      expect(await state()).toMatchObject({
        status: 'completed',
        files: 3,
        endedAt: expect.any(String),
        failures: [
          {
            name: 'empty.txt',
            state: 'failed',
            error: { code: 'file_empty', message: 'empty.txt: the file is empty.' },
          },
          { name: 'b.txt', state: 'failed', error: { code: 'file_type_unsupported' } },
        ],
      });
      const history = JSON.stringify(await handle.fetchHistory(), (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString() : value,
      );
      for (const content of ['a.txt', 'Twenty-five', 'empty.txt']) expect(history).not.toContain(content);
      const metric = async (name: string) => metrics.registry.getSingleMetricAsString(name);
      expect(await metric('documents_ingested_total')).toContain('state="failed"} 2');
      for (const code of ['file_empty', 'file_type_unsupported'])
        expect(await metric('document_failures_total')).toContain(`code="${code}"} 1`);
      const { rows } = await env.postgres.pool.query<{ n: number }>('select count(*) as n from chunks');
      expect(await metric('chunks_ingested_total')).toContain(`chunks_ingested_total ${rows[0]?.n}`);
    } finally {
      await workers.stop();
    }
  });

  test('an ingestion without files completes', async () => {
    const workers = await worker();
    try {
      const { handle, state } = await start([]);
      await handle.result();
      expect(await state()).toMatchObject({ status: 'completed', files: 0, failures: [] });
    } finally {
      await workers.stop();
    }
  });

  test('a folder that is added again changes nothing; of two files with one name the last one stays', async () => {
    const workers = await worker();
    try {
      const folder = Array.from({ length: 30 }, (_, i) => file(`folder/${i}.txt`, `File ${i}.`));
      expect(await (await start(folder)).handle.result()).toMatchObject({ added: 30 });
      expect(await (await start(folder)).handle.result()).toMatchObject({ unchanged: 30 });
      expect(
        await (await start([file('twice.txt', 'First.'), file('twice.txt', 'Second.')])).handle.result(),
      ).toMatchObject({ added: 1, replaced: 1 });
      expect((await adapters.index.search(scope, { query: 'second', limit: 1 })).passages[0]).toMatchObject({
        document: 'twice.txt',
        text: 'Second.',
      });
    } finally {
      await workers.stop();
    }
  });

  test('a file that breaks the parser once is read at the next attempt, and does not delay the others', async () => {
    let attempts = 0;
    const parser: DocumentParser = {
      parse: (given, signal) =>
        given.name === 'once.txt' && attempts++ === 0
          ? Promise.reject(new Error('thread died'))
          : plainParser.parse(given, signal),
    };
    const workers = await worker(parser);
    try {
      const { handle } = await start([file('once.txt', 'Once.'), file('fine.txt', 'Fine.')]);
      expect(await handle.result()).toMatchObject({ added: 2, failed: 0 });
      expect(attempts).toBe(2);
    } finally {
      await workers.stop();
    }
  });

  test('of two files with one name the last one stays, even if the first breaks the parser once', async () => {
    let attempts = 0;
    const parser: DocumentParser = {
      parse: (given, signal) =>
        Buffer.from(given.bytes).toString() === 'Older.' && attempts++ === 0
          ? Promise.reject(new Error('thread died'))
          : plainParser.parse(given, signal),
    };
    const workers = await worker(parser);
    try {
      const { handle } = await start([file('order.txt', 'Older.'), file('order.txt', 'Newer.')]);
      expect(await handle.result()).toMatchObject({ added: 1, replaced: 1, failed: 0 });
      const { documents } = await adapters.documents.list(scope, { limit: 500 });
      expect(documents.find(({ name }) => name === 'order.txt')?.contentHash).toBe(sha256('Newer.'));
    } finally {
      await workers.stop();
    }
  });

  test('a file that always breaks the parser fails and does not stop the others', async () => {
    const parser: DocumentParser = {
      parse: (given, signal) =>
        given.name === 'poison.txt'
          ? Promise.reject(new AlfredError('internal', 'poison.txt: the parser broke off.'))
          : plainParser.parse(given, signal),
    };
    const workers = await worker(parser);
    try {
      const { handle, state } = await start([file('poison.txt', 'Poison.'), file('healthy.txt', 'Healthy.')]);
      expect(await handle.result()).toMatchObject({ added: 1, failed: 1 });
      expect((await state()).failures).toMatchObject([{ name: 'poison.txt', error: { code: 'internal' } }]);
    } finally {
      await workers.stop();
    }
  });

  test('cancelling stops the file that is being read, and records the progress', async () => {
    const reading = Promise.withResolvers<void>();
    let stopped = false;
    const parser: DocumentParser = {
      parse: (given, signal) =>
        given.name !== 'endless.txt'
          ? plainParser.parse(given, signal)
          : new Promise((_, reject) => {
              signal.addEventListener('abort', () => {
                stopped = true;
                reject(signal.reason as Error);
              });
              reading.resolve();
            }),
    };
    const workers = await worker(parser);
    try {
      const { handle, state } = await start([
        file('before.txt', 'Before.'),
        file('endless.txt', 'Endless.'),
        ...Array.from({ length: 30 }, (_, i) => file(`after-${i}.txt`, `After ${i}.`)),
      ]);
      await Promise.all([reading.promise, waitForFiles(state, 1)]);
      await handle.cancel();
      await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
      expect(stopped).toBe(true);
      const { status, counts } = await state();
      expect(status).toBe('cancelled');
      expect(counts.pending).toBeGreaterThanOrEqual(1);
      for (const content of ['Endless.', 'Before.'])
        expect(await adapters.documents.readFile(scope, sha256(content))).toBeDefined();
    } finally {
      await workers.stop();
    }
  });

  test('a thousand files survive a killed and a stopped worker: each is read once, and the unreadable ones are listed', async () => {
    const files = Array.from({ length: 1_000 }, (_, i) => {
      if (i % 100 === 50) return file(`many/${i}.txt`, '');
      if (i % 100 === 75) return file(`many/${i}.pdf`, 'no PDF');
      return file(`many/${i}.txt`, `Policy ${i}\n\nRule number ${i} applies to everybody.\n`);
    });
    const { handle, state } = await start(files);

    const killed = startRole('workers/main.ts', ['--queue', documentsQueue], env.config);
    await waitForFiles(state, 150);
    await killed.end('SIGKILL');
    const before = (await state()).counts;
    expect(before.pending).toBeGreaterThan(0);

    const stopped = await startWorkers({ ...env, metrics }, adapters, [documentsQueue]);
    await waitForFiles(state, 1_000 - before.pending + 100);
    await stopped.stop();
    expect((await state()).status).toBe('running');

    const last = await startWorkers({ ...env, metrics }, adapters, [documentsQueue]);
    try {
      // Each file counts once as added: a file that was stored by a killed attempt is not counted again as unchanged.
      expect(await handle.result()).toEqual({ pending: 0, added: 980, replaced: 0, unchanged: 0, failed: 20 });
    } finally {
      await last.stop();
    }
    const { failures, status } = await state();
    expect(status).toBe('completed');
    expect(failures.map(({ name }) => name)).toEqual(
      files.filter(({ bytes }) => bytes.length < 10).map(({ name }) => name),
    );
    expect(new Set(failures.map(({ error }) => error?.code))).toEqual(new Set(['file_empty', 'file_unreadable']));

    const stored = await env.postgres.db
      .selectFrom('documents')
      .select(['name', 'text', 'chunk_count'])
      .where('name', 'like', 'many/%')
      .execute();
    expect(stored).toHaveLength(980);
    for (const { name, text } of stored) {
      const i = /\d+/.exec(name)?.[0] ?? '';
      expect(text).toBe(`Policy ${i}\n\nRule number ${i} applies to everybody.`);
    }
    const chunks = await env.postgres.db
      .selectFrom('chunks as c')
      .innerJoin('documents as d', 'd.id', 'c.document_id')
      .select('c.id')
      .where('d.name', 'like', 'many/%')
      .execute();
    expect(chunks).toHaveLength(stored.reduce((sum, { chunk_count }) => sum + chunk_count, 0));
  });
});
