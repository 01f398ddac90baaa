import { expect, test } from '@jest/globals';
import type { IngestionEvent } from '../../../contract/ingestion-events.ts';
import type { SlackFile, UploadedFile } from '../../../contract/ports/index.ts';
import { AlfredError } from '../../../contract/errors.ts';
import type { Question } from '../../../slack/asking/question.ts';
import { leastPrincipal } from '../../../slack/asking/slack-principals.ts';
import { SlackCallError } from '../../../slack/api-calls/call-error.ts';
import { createReadFiles, type ReadFilesDeps } from '../../../slack/files/read-files.ts';
import { sharedFileIn } from '../../../slack/files/shared-file.ts';
import { until, untilAborted } from '../../support/until.ts';

const principal = leastPrincipal('local', 'slack:T1:U1');
const question = (...names: string[]): Question => ({
  team: 'T1',
  channel: 'D1',
  threadTs: '1.0',
  ts: '1.0',
  userId: 'U1',
  text: 'What?',
  isDirect: true,
  isExternal: false,
  mentionsAlfred: false,
  isForOthers: false,
  files: names.map((name, index) => sharedFileIn({ id: `F${index}`, name, url_private: 'https://files.slack.com/a' })!),
});

/** Reading, with an upload that ends when all of its files are read. @param more replaces parts */
function createStage({
  read = () => true,
  ...more
}: Partial<ReadFilesDeps> & { read?: (name: string) => boolean } = {}) {
  const uploads: UploadedFile[][] = [];
  let stored: SlackFile[] | undefined;
  let begun: string | undefined;
  const eventsOf = (files: UploadedFile[]): IngestionEvent[] =>
    files
      .filter(({ name }) => read(name))
      .map(({ name }, file) => ({
        seq: file + 2,
        at: '2026-01-01T00:00:00.000Z',
        type: 'file.read' as const,
        data: { file, name, state: 'added' as const, documentId: `document ${name.split('/').at(-1)}` },
      }));
  const readFiles = createReadFiles({
    calls: { call: async () => ({ ok: true }), expectedWaitMs: () => 0, depth: () => 0, stop: async () => undefined },
    download: async ({ name }) => ({ bytes: Buffer.from(`content of ${name}`) }),
    files: {
      find: async () => stored,
      begin: async () => true,
      async beginUpload(_message, id) {
        begun = id;
      },
      findUpload: async () => undefined,
      store: async (_message, files) => (stored ??= files),
    },
    ingestions: {
      checkTemporal: async () => undefined,
      create: async (_, files) => ({ id: String(uploads.push(files)) }) as never,
    },
    ingestionEvents: {
      read: async () => eventsOf(uploads.at(-1) ?? []),
      waitForEnd: (_, signal) =>
        uploads.at(-1)?.every(({ name }) => read(name))
          ? Promise.resolve()
          : untilAborted(signal).catch(() => undefined),
    },
    tenants: { requireActive: async () => undefined, requireRoom: async () => undefined },
    audit: { note: () => undefined },
    config: { ALFRED_MAX_UPLOAD_MB: 1 },
    signal: new AbortController().signal,
    waitMs: 10,
    ...more,
  });
  return { uploads, begun: () => begun, read: (asked: Question) => readFiles(asked, principal) };
}

test('files of one message are one upload, and a repeat reads none again', async () => {
  const { read, uploads, begun } = createStage();
  const files = await read(question('a.txt', 'b.txt'));
  expect(files).toMatchObject([
    { name: 'a.txt', documentId: 'document a.txt', problem: null },
    { name: 'b.txt', documentId: 'document b.txt', problem: null },
  ]);
  expect(await read(question('a.txt', 'b.txt'))).toEqual(files);
  expect(uploads).toHaveLength(1);
  expect(begun()).toBe('1');
});

test('an upload that an earlier attempt has begun is waited for, and no file is downloaded again', async () => {
  const files = [{ fileId: 'F0', name: 'a.txt', documentName: 'slack/1/a.txt', problem: null }];
  const { read, uploads } = createStage({
    download: async () => ({ problem: 'gone' }),
    files: {
      find: async () => undefined,
      begin: async () => true,
      beginUpload: async () => undefined,
      findUpload: async () => ({ files, ingestionId: 'earlier' }),
      store: async (_message, found) => found,
    },
    ingestionEvents: {
      waitForEnd: async () => undefined,
      read: async (_, id) => [
        {
          seq: 2,
          at: '2026-01-01T00:00:00.000Z',
          type: 'file.read',
          data: { file: 0, name: 'slack/1/a.txt', state: 'added', documentId: `document of ${id}` },
        },
      ],
    },
  });
  expect(await read(question('a.txt'))).toEqual([
    { name: 'a.txt', documentName: 'slack/1/a.txt', documentId: 'document of earlier', problem: null },
  ]);
  expect(uploads).toEqual([]);
});

test('the files of a message that was deleted meanwhile are not sent to be read', async () => {
  const { read, uploads } = createStage({
    files: {
      find: async () => undefined,
      begin: async () => false,
      beginUpload: async () => undefined,
      findUpload: async () => undefined,
      store: async (_message, found) => found,
    },
  });
  expect(await read(question('a.txt'))).toMatchObject([
    { problem: expect.stringContaining('is not in Slack any more') },
  ]);
  expect(uploads).toEqual([]);
});

test('a question does not wait for ever: what is not read in time has a line', async () => {
  const { read } = createStage({ read: (name) => !name.includes('slow') });
  expect(await read(question('quick.txt', 'slow.pdf'))).toMatchObject([
    { name: 'quick.txt', documentId: 'document quick.txt', problem: null },
    { name: 'slow.pdf', documentId: null, problem: expect.stringContaining('I am still reading “slow.pdf”') },
  ]);
});

test('what is too much is left out, with a line', async () => {
  const { read, uploads } = createStage();
  const files = await read(question(...Array.from({ length: 22 }, (_, index) => `${index}.txt`)));
  expect(uploads[0]).toHaveLength(20);
  expect(files.slice(20).map(({ problem }) => problem)).toEqual([
    expect.stringContaining('I take 20 files'),
    expect.stringContaining('I take 20 files'),
  ]);
});

test('the files of one message may be as large as an upload, together', async () => {
  const limits: number[] = [];
  const { read } = createStage({
    download: async (_, { maxBytes }) => {
      limits.push(maxBytes);
      return maxBytes < 600_000 ? { problem: 'too_large' } : { bytes: new Uint8Array(600_000) };
    },
  });
  const [first, second] = await read(question('a.txt', 'b.txt'));
  expect(limits).toEqual([1_000_000, 400_000]);
  expect(first?.problem).toBeNull();
  expect(second?.problem).toContain('may have 1 MB together');
});

test('a tenant that is full reads that, and no file is read', async () => {
  const requireRoom = () => Promise.reject(new AlfredError('tenant_full'));
  const { read, uploads } = createStage({ tenants: { requireActive: async () => undefined, requireRoom } });
  expect(await read(question('a.txt'))).toMatchObject([{ problem: expect.stringContaining('no room') }]);
  expect(uploads).toEqual([]);
});

test.each([
  ['file_not_found', 'is not in Slack any more'],
  ['missing_scope', 'files:read'],
])('a file that files.info refuses with %s has a line', async (code, line) => {
  const call = async ({ method }: { method: string }) => {
    if (method === 'files.info') throw new SlackCallError(method, code, 'refused');
    return { ok: true };
  };
  const { read } = createStage({
    calls: { call, expectedWaitMs: () => 0, depth: () => 0, stop: async () => undefined },
  });
  const asked = { ...question(), files: [sharedFileIn({ id: 'F1', file_access: 'check_file_info' })!] };
  expect(await read(asked)).toMatchObject([{ documentId: null, problem: expect.stringContaining(line) }]);
});

test('while Temporal does not answer, no file is downloaded, and a repeat reads them', async () => {
  let isAway = true;
  let downloads = 0;
  const { read } = createStage({
    download: async () => ({ bytes: Buffer.from(`content ${++downloads}`) }),
    ingestions: {
      checkTemporal: async () => {
        if (isAway) throw new AlfredError('temporal_unavailable');
      },
      create: async () => ({ id: '1' }) as never,
    },
  });
  await expect(read(question('a.txt'))).rejects.toMatchObject({ code: 'temporal_unavailable' });
  expect(downloads).toBe(0);
  isAway = false;
  expect(await read(question('a.txt'))).toHaveLength(1);
});

test('a workspace that sends many files leaves room for those of another one', async () => {
  const begun: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { read } = createStage({
    download: async ({ team, name }) => {
      begun.push(`${team} ${name}`);
      await gate.promise;
      return { bytes: Buffer.from(name) };
    },
  });
  const reading = ['a', 'b', 'c'].map((name) => read(question(name)));
  reading.push(read({ ...question('d'), team: 'T2' }));
  await until('the other one is read', () => begun.includes('T2 d'));
  expect(begun.toSorted()).toEqual(['T1 a', 'T1 b', 'T2 d']);
  gate.resolve();
  await Promise.all(reading);
});

test('a bot that stops does not wait', async () => {
  const stopping = new AbortController();
  const { read } = createStage({ read: () => false, signal: stopping.signal, waitMs: 60_000 });
  const reading = read(question('a.txt'));
  stopping.abort(new Error('the process stops'));
  await expect(reading).rejects.toThrow('the process stops');
});
