import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createDocuments } from '../../activities/adapters/postgres/documents.ts';
import { createSearchIndex } from '../../activities/adapters/search/search-index.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { plainParser } from '../support/plain-parser.ts';

const scope = { tenant: 'local', subject: 'local' };
let env: TestEnvironment;
beforeAll(async () => void (env = await createTestEnvironment()));
afterAll(() => env?.close());

async function put(name: string, text: string, owner = scope) {
  const bytes = Buffer.from(text);
  const file = { name, mediaType: 'text/plain', bytes };
  const contentHash = createHash('sha256').update(bytes).digest('hex');
  return createDocuments(env.postgres.db).put(owner, { ...file, contentHash, sizeBytes: bytes.length }, () =>
    plainParser.parse(file, AbortSignal.timeout(1_000)),
  );
}

describe('the search index', () => {
  test('finds what was stored before the call', async () => {
    const index = createSearchIndex({ db: env.postgres.db, dir: join(env.config.ALFRED_DATA_DIR, 'a'), log: env.log });
    await put(
      'expenses.md',
      '# Expense reports\n\nFile your expense report within 30 days.\n\n# Limits\n\nMeals up to 40 euros a day.',
    );
    const [first] = await index.search(scope, 'How many days do I have to file an expense report?', 5);
    expect(first).toMatchObject({
      document: 'expenses.md',
      headingPath: ['Expense reports'],
      text: 'File your expense report within 30 days.',
    });
    index.close();
  });
});
