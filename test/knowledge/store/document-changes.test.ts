import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { recordChanges } from '../../../knowledge/store/document-changes.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

test('50,000 changes, the most that a source can have, are recorded at once, the newest of each document', async () => {
  const documents = Array.from({ length: 50_000 }, () => ({ tenant: 'local', id: crypto.randomUUID() }));
  for (let round = 1; round <= 2; round++)
    await env.postgres.db.transaction().execute((trx) => recordChanges(trx, documents));

  const { rows } = await env.postgres.pool.query(
    'select count(*)::int as n, count(distinct document_id)::int as documents, min(seq)::int > 50000 as "areNew" from document_changes',
  );
  expect(rows).toEqual([{ n: 50_000, documents: 50_000, areNew: true }]);
});
