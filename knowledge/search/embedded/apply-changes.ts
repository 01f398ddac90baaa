import type { Client, InStatement } from '@libsql/client';
import type { IndexPosition } from '../change-log.ts';
import type { IndexedDocument } from '../passage-index.ts';
import { withoutAccents } from '../../../contract/rules/stems.ts';
import { passageTerms, spellingsIn } from '../../../contract/rules/terms.ts';
import { planChanges, type ChangePlan, type StoredDocument } from './change-plan.ts';
import { moveFileState, textOf } from './file-state.ts';

/**
 * The next changes. `documents`: the changed documents that still exist, as they are now; `to`: the position
 * afterwards.
 */
export type ChangeBatch = { to: IndexPosition; model: string; documentIds: string[]; documents: IndexedDocument[] };

/**
 * Applies changes to a file and moves it to the next position, in one transaction. Does nothing when another process
 * has moved the file already, so that no change is applied twice.
 */
export async function applyChanges(
  client: Client,
  from: IndexPosition,
  { to, model, documentIds, documents }: ChangeBatch,
): Promise<void> {
  const plan = planChanges(documentIds, documents, await readStored(client, documentIds));
  await moveFileState(client, from, { ...to, model }, statementsOf(plan));
}

async function readStored(client: Client, documentIds: string[]): Promise<Map<string, StoredDocument>> {
  const { rows } = await client.execute({
    sql: `select d.document_id, d.hash, p.chunk_id, v.id as vector from documents d
      left join passages p on p.document = d.id left join vectors v on v.passage = p.id
      where d.document_id in (select value from json_each(?))`,
    args: [JSON.stringify(documentIds)],
  });
  const stored = new Map<string, StoredDocument>();
  for (const row of rows) {
    const id = textOf(row.document_id);
    const document = stored.get(id) ?? { hash: textOf(row.hash), chunks: new Map<string, boolean>() };
    if (row.chunk_id !== null) document.chunks.set(textOf(row.chunk_id), row.vector !== null);
    stored.set(id, document);
  }
  return stored;
}

/**
 * One statement for each table, regardless of the number of rows. libSQL prepares every statement again and frees its
 * memory only when V8 happens to collect the object (libsql-js#153): 300,000 statements took up to 2.4 GB.
 */
function statementsOf({ goneDocuments, goneChunks, documents, facets, passages, vectors }: ChangePlan): InStatement[] {
  const gone = 'select id from passages where chunk_id in (select value from json_each(?))';
  const words = passages.map(({ chunkId, title, headings, body, language }) => [
    chunkId,
    ...[title, headings, body].map((text) => passageTerms(text, language).join(' ')),
  ]);
  const spelled = passages.map(({ chunkId, title, headings, body }) => ({
    chunkId,
    forms: spellingsIn(`${title}\n${headings}\n${body}`),
  }));
  const spellings = new Set(spelled.flatMap(({ forms }) => forms));
  return [
    forRows(goneChunks, `delete from words where rowid in (${gone})`),
    forRows(goneChunks, `delete from spelled where rowid in (${gone})`),
    forRows(goneChunks, `delete from vectors where passage in (${gone})`),
    forRows(goneChunks, 'delete from passages where chunk_id in (select value from json_each(?))'),
    forRows(goneDocuments, 'delete from documents where document_id in (select value from json_each(?))'),
    forRows(
      documents.map(({ documentId, hash }) => [documentId, hash]),
      `insert into documents (document_id, hash) select value ->> 0, value ->> 1 from json_each(?) where true
        on conflict (document_id) do update set hash = excluded.hash where hash <> excluded.hash`,
    ),
    forRows([...facets], 'insert or ignore into classes (facets) select value from json_each(?)'),
    forRows(
      passages.map((passage) => [passage.chunkId, passage.documentId, passage.facets, passage.updatedMs]),
      `insert into passages (chunk_id, document, class, updated)
        select n.value ->> 0, d.id, c.id, n.value ->> 3 from json_each(?) n
          join documents d on d.document_id = n.value ->> 1 join classes c on c.facets = n.value ->> 2 order by n.key`,
    ),
    forRows(
      words,
      `insert into words (rowid, title, headings, body) select p.id, n.value ->> 1, n.value ->> 2, n.value ->> 3
        from json_each(?) n join passages p on p.chunk_id = n.value ->> 0 order by p.id`,
    ),
    forRows(
      spelled.map(({ chunkId, forms }) => [chunkId, forms.join(' ')]),
      `insert into spelled (rowid, forms) select p.id, n.value ->> 1
        from json_each(?) n join passages p on p.chunk_id = n.value ->> 0 order by p.id`,
    ),
    forRows(
      [...spellings].map((word) => [withoutAccents(word), word]),
      `insert or ignore into spellings (plain, word) select value ->> 0, value ->> 1 from json_each(?)`,
    ),
    pruneSpellings(goneChunks.length),
    forRows(
      vectors.map(({ chunkId, vector }) => [chunkId, vector]),
      `insert into vectors (passage, vector) select p.id, unhex(n.value ->> 1) from json_each(?) n
        join passages p on p.chunk_id = n.value ->> 0 order by p.id`,
    ),
  ].flat();
}

/** For each passage that goes, about as many words are looked at as it had: so the list stays as long as it must be. */
const prunedWordsOfPassage = 100;
const maxPrunedWords = 20_000;

/** Deletes words that no passage contains any more, from the next part of the list. */
function pruneSpellings(gonePassages: number): InStatement[] {
  if (gonePassages === 0) return [];
  const next = `select plain from spellings where plain > pruned_to order by plain limit 1 offset ?`;
  return [
    {
      sql: `update state set pruned_from = pruned_to, pruned_to = coalesce((${next}), '')`,
      args: [Math.min(gonePassages * prunedWordsOfPassage, maxPrunedWords)],
    },
    `delete from spellings where plain > (select pruned_from from state)
      and (plain <= (select pruned_to from state) or (select pruned_to from state) = '')
      and not exists (select 1 from spelled where spelled match '"' || spellings.word || '"')`,
  ];
}

const forRows = (rows: unknown[], sql: string): InStatement[] =>
  rows.length > 0 ? [{ sql, args: [JSON.stringify(rows)] }] : [];
