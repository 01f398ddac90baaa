import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { recordChanges } from '../../../knowledge/store/document-changes.ts';
import type { PassageFilter, PassageIndex, Hit } from '../../../knowledge/search/passage-index.ts';
import type { Placement } from '../../../contract/documents.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { embedAll, toyVector, type IndexPlace, type ToyModel } from '../../support/documents/passage-indexes.ts';
import { local, putDocument } from '../../support/documents/put-document.ts';

export const everyone: PassageFilter = { principals: ['everyone'] };

export const modelOf =
  ({ name }: ToyModel) =>
  async () =>
    name;

/** Gives each test of a `describe` block an empty Postgres and an empty place for indexes, and closes what it opens. */
export function useIndexPlace(createPlace: (env: TestEnvironment) => Promise<IndexPlace>) {
  let env: TestEnvironment;
  let place: IndexPlace;
  let opened: PassageIndex[] = [];
  beforeAll(async () => {
    env = await createTestEnvironment();
  });
  beforeEach(async () => {
    place = await createPlace(env);
  });
  afterEach(async () => {
    await Promise.all(opened.map((index) => index.close()));
    opened = [];
    await place.close();
    await env.postgres.pool.query('truncate documents, chunks, document_changes, embeddings restart identity cascade');
  });
  afterAll(() => env?.close());

  const textsOf = async (list: Hit[]) => {
    if (list.length === 0) return [];
    const ids = list.map(({ chunkId }) => chunkId);
    const rows = await env.postgres.db.selectFrom('chunks').select(['id', 'text']).where('id', 'in', ids).execute();
    return list.map(({ chunkId }) => rows.find(({ id }) => id === chunkId)?.text ?? `${chunkId} is no chunk`);
  };

  return {
    postgres: () => env.postgres,
    open: (model?: () => Promise<string>) => {
      const index = place.open(model);
      opened.push(index);
      return index;
    },
    /** Opens an index that the test closes itself. */
    openUnmanaged: () => place.open(),
    wipe: () => place.wipe(),
    embed: (model: ToyModel) => embedAll(env.postgres.db, model),

    /**
     * Puts a text under a title of its own. Without one, its first line were the title and so part of every passage.
     */
    put: (name: string, text: string, placement: Partial<Placement> = {}, scope = local) =>
      putDocument(env.postgres.db, name, text.startsWith('#') ? text : `# Notes\n\n${text}`, { scope, placement }),

    /** Changes a document's row and records the change, as the document store does. */
    amend: (documentId: string, set: { language?: string; updated_at?: Date; readers?: string[] }) =>
      env.postgres.db.transaction().execute(async (trx) => {
        await trx.updateTable('documents').set(set).where('id', '=', documentId).execute();
        await recordChanges(trx, [{ tenant: local.tenant, id: documentId }]);
      }),

    textsOf,
    byWords: async (index: PassageIndex, text: string, filter = everyone, tenant = 'local') =>
      textsOf((await index.find({ ...local, tenant }, filter, { text }, 10)).lexical),
    byMeaning: async (index: PassageIndex, text: string, model: ToyModel, filter = everyone) =>
      textsOf((await index.find(local, filter, { text: '', vector: toyVector(model, text) }, 10)).dense),
  };
}
