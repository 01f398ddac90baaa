import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { recordChanges } from '../../../knowledge/store/document-changes.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';

let env: TestEnvironment;
beforeAll(async () => void (env = await createTestEnvironment()));
afterAll(() => env?.close());

test('as many documents as a source may have are noted at once, each with its newest change only', async () => {
  const documents = Array.from({ length: 50_000 }, () => ({ tenant: 'local', id: crypto.randomUUID() }));
  for (let time = 1; time <= 2; time++)
    await env.postgres.db.transaction().execute((tx) => recordChanges(tx, documents));

  const { rows } = await env.postgres.pool.query(
    'select count(*)::int as n, count(distinct document_id)::int as documents, min(seq)::int > 50000 as "areNew" from document_changes',
  );
  expect(rows).toEqual([{ n: 50_000, documents: 50_000, areNew: true }]);
}, 30_000);
