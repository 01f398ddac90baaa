import { createHash } from 'node:crypto';
import type { Client, InStatement } from '@libsql/client';
import type { IndexedDocument, IndexedPassage } from '../passage-index.ts';
import { indexableText } from '../../../contract/rules/terms.ts';

/** How far a file is: which database it follows, the last change it applied, and when that change was made. */
export type Position = { source: string; applied: number; anchor: string | null };

/** A file's position, and the model whose vectors it holds; `''` for none. */
export type Standing = Position & { model: string };

/** The next changes: what the changed documents hold now; a document that is gone holds nothing. */
export type Changes = { to: Position; model: string; documentIds: string[]; documents: IndexedDocument[] };

export async function readFileState(client: Client): Promise<Standing> {
  const { rows } = await client.execute('select source, applied, anchor, model from state');
  const [row] = rows;
  return {
    source: textOf(row?.source),
    applied: Number(row?.applied),
    anchor: typeof row?.anchor === 'string' ? row.anchor : null,
    model: textOf(row?.model),
  };
}

/**
 * Moves a file from one position to the next, with what belongs to it, in one transaction. Passages that are as before
 * stay as they are. When another process was faster nothing is written, so nothing is applied twice.
 */
export async function applyChanges(client: Client, from: Position, changes: Changes): Promise<void> {
  const before = await readBefore(client, changes.documentIds);
  const statements = statementsOf(planOf(changes, before));
  const { to, model } = changes;
  const move: InStatement = {
    // Null where the file has moved on, which the column refuses.
    sql: 'update state set applied = case when source = ? and applied = ? then ? end, source = ?, anchor = ?, model = ?',
    args: [from.source, from.applied, to.applied, to.source, to.anchor, model],
  };
  await client.batch([move, ...statements], 'write').catch(ignoreOvertaken);
}

/** Empties a file that follows another database than ours, or holds another model's vectors. */
export async function resetFile(client: Client, from: Position, source: string, model: string): Promise<void> {
  const move: InStatement = {
    sql: 'update state set applied = case when source = ? and applied = ? then 0 end, source = ?, anchor = null, model = ?',
    args: [from.source, from.applied, source, model],
  };
  const emptied = ['vectors', 'passages', 'documents', 'classes'].map((table) => `delete from ${table}`);
  await client
    .batch([move, `insert into words (words) values ('delete-all')`, ...emptied], 'write')
    .catch(ignoreOvertaken);
}

function ignoreOvertaken(error: unknown) {
  if (!/^SQLITE_CONSTRAINT/.test((error as { code?: string }).code ?? '')) throw error;
}

type Before = { hash: string; chunks: Map<string, { hasVector: boolean }> };

async function readBefore(client: Client, documentIds: string[]): Promise<Map<string, Before>> {
  const { rows } = await client.execute({
    sql: `select d.document_id, d.hash, p.chunk_id, v.id as vector from documents d
      left join passages p on p.document = d.id left join vectors v on v.passage = p.id
      where d.document_id in (select value from json_each(?))`,
    args: [JSON.stringify(documentIds)],
  });
  const found = new Map<string, Before>();
  for (const row of rows) {
    const id = textOf(row.document_id);
    const before = found.get(id) ?? { hash: textOf(row.hash), chunks: new Map<string, { hasVector: boolean }>() };
    if (row.chunk_id !== null) before.chunks.set(textOf(row.chunk_id), { hasVector: row.vector !== null });
    found.set(id, before);
  }
  return found;
}

/** What is to be taken out of the file, and what put in. */
type Plan = {
  goneDocuments: string[];
  goneChunks: string[];
  documents: { documentId: string; hash: string }[];
  facets: Set<string>;
  passages: (IndexedPassage & { updatedMs: number; facets: string })[];
  vectors: { chunkId: string; vector: string }[];
};

function planOf({ documentIds, documents }: Changes, before: Map<string, Before>): Plan {
  const now = new Map(documents.map((document) => [document.documentId, document]));
  const plan: Plan = {
    ...{ goneDocuments: [], goneChunks: [], documents: [], facets: new Set(), passages: [], vectors: [] },
  };
  for (const id of documentIds) {
    const [was, document] = [before.get(id), now.get(id)];
    if (document) plan.goneChunks.push(...planDocument(plan, document, was));
    else {
      plan.goneDocuments.push(id);
      plan.goneChunks.push(...(was?.chunks.keys() ?? []));
    }
  }
  return plan;
}

/** @returns the chunks that go */
function planDocument(plan: Plan, document: IndexedDocument, was: Before | undefined): string[] {
  const { documentId, title, updatedMs, passages } = document;
  const facets = facetsOf(document);
  const hash = hashOf([title, updatedMs, facets]);
  // A title stands in every row, and a passage keeps its class and time for life.
  const stays = hash === was?.hash ? was.chunks : new Map<string, { hasVector: boolean }>();
  plan.documents.push({ documentId, hash });
  plan.facets.add(facets);
  for (const passage of passages) {
    const { chunkId, vector } = passage;
    const known = stays.get(chunkId);
    if (!known) plan.passages.push({ ...passage, updatedMs, facets });
    if (vector && !known?.hasVector) plan.vectors.push({ chunkId, vector: hexOf(vector) });
  }
  const kept = new Set(passages.map(({ chunkId }) => chunkId));
  return [...(was?.chunks.keys() ?? [])].filter((id) => !stays.has(id) || !kept.has(id));
}

/**
 * A statement a table, whatever the number of rows: libSQL prepares each statement anew, and lets go of its memory only when
 * V8 happens to collect the object (libsql-js#153), which 300,000 of them took up to 2.4 GB.
 */
function statementsOf({ goneDocuments, goneChunks, documents, facets, passages, vectors }: Plan): InStatement[] {
  const gone = 'select id from passages where chunk_id in (select value from json_each(?))';
  const words = passages.map(({ chunkId, title, headings, body }) => [
    chunkId,
    ...[title, headings, body].map(indexableText),
  ]);
  return [
    on(goneChunks, `delete from words where rowid in (${gone})`),
    on(goneChunks, `delete from vectors where passage in (${gone})`),
    on(goneChunks, 'delete from passages where chunk_id in (select value from json_each(?))'),
    on(goneDocuments, 'delete from documents where document_id in (select value from json_each(?))'),
    on(
      documents.map(({ documentId, hash }) => [documentId, hash]),
      `insert into documents (document_id, hash) select value ->> 0, value ->> 1 from json_each(?) where true
        on conflict (document_id) do update set hash = excluded.hash where hash <> excluded.hash`,
    ),
    on([...facets], 'insert or ignore into classes (facets) select value from json_each(?)'),
    on(
      passages.map((passage) => [passage.chunkId, passage.documentId, passage.facets, passage.updatedMs]),
      `insert into passages (chunk_id, document, class, updated)
        select n.value ->> 0, d.id, c.id, n.value ->> 3 from json_each(?) n
          join documents d on d.document_id = n.value ->> 1 join classes c on c.facets = n.value ->> 2 order by n.key`,
    ),
    on(
      words,
      `insert into words (rowid, title, headings, body) select p.id, n.value ->> 1, n.value ->> 2, n.value ->> 3
        from json_each(?) n join passages p on p.chunk_id = n.value ->> 0 order by p.id`,
    ),
    on(
      vectors.map(({ chunkId, vector }) => [chunkId, vector]),
      `insert into vectors (passage, vector) select p.id, unhex(n.value ->> 1) from json_each(?) n
        join passages p on p.chunk_id = n.value ->> 0 order by p.id`,
    ),
  ].flat();
}

const on = (rows: unknown[], sql: string): InStatement[] =>
  rows.length > 0 ? [{ sql, args: [JSON.stringify(rows)] }] : [];

const hexOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('hex');

/** What decides whether a passage counts for a query. */
export type Facets = { readers: string[]; collection: string; tags: string[]; language: string | null };

const facetsOf = ({ readers, collection, tags, language }: IndexedDocument): string =>
  JSON.stringify({ readers: [...readers].sort(), collection, tags: [...tags].sort(), language } satisfies Facets);

const hashOf = (parts: (string | number)[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);

const textOf = (value: unknown) => (typeof value === 'string' ? value : '');
