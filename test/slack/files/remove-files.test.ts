import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AuditRecord } from '../../../contract/audit.ts';
import { createRemoveFiles, type RemoveFiles } from '../../../slack/files/remove-files.ts';
import { createAdapterEnvironment, type AdapterEnvironment } from '../../support/environment/adapter-environment.ts';
import { putDocument } from '../../support/documents/put-document.ts';
import { person } from '../../support/principals.ts';

let env: AdapterEnvironment;
let removeFiles: RemoveFiles;
const noted: AuditRecord[] = [];
beforeAll(async () => {
  env = await createAdapterEnvironment();
  const audit = { note: (entry: AuditRecord) => void noted.push(entry) };
  removeFiles = createRemoveFiles({ documents: env.adapters.documents, files: env.adapters.slackFiles, audit });
});
afterAll(() => env?.close());

const scope = { tenant: 'local', subject: 'slack:T1:U1' };
const placement = { collection: 'slack', readers: [] };
const message = (ts: string) => ({ team: 'T1', channel: 'D1', threadTs: ts, ts });
const nameOf = (name: string) => `slack/${'0'.repeat(64)}/${name}`;
const begin = (ts: string, ...names: string[]) =>
  env.adapters.slackFiles.begin(
    message(ts),
    scope,
    names.map((name) => ({ fileId: `F-${name}`, name, documentName: nameOf(name), problem: null })),
  );
const upload = (...names: string[]) =>
  env.adapters.documents.createIngestion(
    person(scope.subject, { tenant: scope.tenant, roles: [] }),
    names.map((name) => ({ name: nameOf(name), mediaType: 'text/plain', bytes: Buffer.from(name) })),
    placement,
  );
const documents = async () => (await env.adapters.documents.list(scope, { limit: 100 })).documents;

test('a document that comes of a message after it was deleted is removed, and is in the log', async () => {
  await begin('1.0', 'late.txt');
  // The process has stopped before it could store which upload it is, and Slack does not say whose message it was.
  expect(await removeFiles.remove([{ channel: 'D1', ts: '1.0' }])).toBe(0);
  await putDocument(env.postgres.db, nameOf('late.txt'), 'An apple.', { scope, placement });
  expect(await removeFiles.sweep()).toBe(1);
  expect(await documents()).toEqual([]);
  expect(noted).toMatchObject([{ ...scope, action: 'document.delete', outcome: 'ok' }]);
  expect(await removeFiles.sweep()).toBe(0);
});

test('an upload all of whose files are deleted is cancelled, and its bytes are gone', async () => {
  await begin('2.0', 'a.txt', 'b.txt');
  const ingestionId = await upload('a.txt', 'b.txt');
  await env.adapters.slackFiles.beginUpload(message('2.0'), ingestionId);
  const status = async () => (await env.adapters.documents.getIngestion(scope, ingestionId))?.status;
  const [pending] = await env.adapters.documents.listPendingFiles(scope, ingestionId, 1);
  await removeFiles.remove([{ fileId: 'F-a.txt' }]);
  expect(await status()).toBe('running');
  await removeFiles.remove([{ fileId: 'F-b.txt' }]);
  expect(await status()).toBe('cancelled');
  expect(await env.adapters.documents.readFile(scope, pending?.contentHash ?? '')).toBeUndefined();
});

test('what is known of deleted files goes when nothing can come of them any more', async () => {
  await begin('3.0', 'c.txt');
  const ingestionId = await upload('c.txt');
  await env.adapters.slackFiles.beginUpload(message('3.0'), ingestionId);
  await env.adapters.slackFiles.store(message('3.0'), [
    { name: 'c.txt', documentName: nameOf('c.txt'), documentId: null, problem: 'I am still reading it.' },
  ]);
  const isKept = async () => (await env.adapters.slackFiles.find(message('3.0'))) !== undefined;
  await env.adapters.slackFiles.markRemoved([{ channel: 'D1', ts: '3.0' }]);
  await env.adapters.slackFiles.removeOld();
  expect(await isKept()).toBe(true);
  await env.adapters.documents.endIngestion(scope, ingestionId, 'cancelled', { isKnown: false });
  await env.adapters.slackFiles.removeOld();
  expect(await isKept()).toBe(false);
});
