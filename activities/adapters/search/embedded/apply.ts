import { createHash } from 'node:crypto';
import type { Client, InStatement } from '@libsql/client';
import type { IndexedDocument, IndexedPassage } from '../passage-index.ts';
import { indexable } from '../terms.ts';

/** How far a file is: which database it follows, the last change it applied, and when that change was made. */
export type Position = { source: string; applied: number; anchor: string | null };

/** A file's position, and the model whose vectors it holds; `''` for none. */
export type Standing = Position & { model: string };

/** The next changes: what the changed documents hold now; a document that is gone holds nothing. */
export type Changes = { to: Position; model: string; documentIds: string[]; documents: IndexedDocument[] };

export async function readPosition(client: Client): Promise<Standing> {
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
  const now = new Map(changes.documents.map((document) => [document.documentId, document]));
  const statements = changes.documentIds.flatMap((id) => statementsFor(id, before.get(id), now.get(id)));
  const { to, model } = changes;
  const move: InStatement = {
    // Null where the file has moved on, which the column refuses.
    sql: 'update state set applied = case when source = ? and applied = ? then ? end, source = ?, anchor = ?, model = ?',
    args: [from.source, from.applied, to.applied, to.source, to.anchor, model],
  };
  await client.batch([move, ...statements], 'write').catch(ignoreOvertaken);
}

/** Empties a file that follows another database than ours, or holds another model's vectors. */
export async function beginAnew(client: Client, from: Position, source: string, model: string): Promise<void> {
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

function statementsFor(
  documentId: string,
  before: Before | undefined,
  now: IndexedDocument | undefined,
): InStatement[] {
  const facets = now && facetsOf(now);
  const hash = now && hashOf([now.title, now.updatedMs, facets ?? '']);
  // A title stands in every row, and a passage keeps its class and time for life.
  const stays = before && hash === before.hash ? before.chunks : new Map<string, { hasVector: boolean }>();
  const kept = new Set(now?.passages.map(({ chunkId }) => chunkId));
  const gone = [...(before?.chunks.keys() ?? [])].filter((id) => !stays.has(id) || !kept.has(id));
  return [
    ...(gone.length > 0 ? removal(gone) : []),
    ...(now && facets !== undefined && hash !== undefined
      ? addition(now, { hash, facets, isKnown: before !== undefined, stays })
      : [{ sql: 'delete from documents where document_id = ?', args: [documentId] }]),
  ];
}

function removal(chunkIds: string[]): InStatement[] {
  const args = [JSON.stringify(chunkIds)];
  const rows = 'select id from passages where chunk_id in (select value from json_each(?))';
  return [
    { sql: `delete from words where rowid in (${rows})`, args },
    { sql: `delete from vectors where passage in (${rows})`, args },
    { sql: `delete from passages where chunk_id in (select value from json_each(?))`, args },
  ];
}

type Addition = { hash: string; facets: string; isKnown: boolean; stays: Before['chunks'] };

function addition(document: IndexedDocument, { hash, facets, isKnown, stays }: Addition): InStatement[] {
  const { documentId, passages } = document;
  return [
    isKnown
      ? { sql: 'update documents set hash = ? where document_id = ?', args: [hash, documentId] }
      : { sql: 'insert into documents (document_id, hash) values (?, ?)', args: [documentId, hash] },
    { sql: 'insert or ignore into classes (facets) values (?)', args: [facets] },
    ...passages.flatMap((passage) => {
      const before = stays.get(passage.chunkId);
      const words = before ? [] : insertWords(document, passage, facets);
      return passage.vector && !before?.hasVector ? [...words, insertVector(passage.chunkId, passage.vector)] : words;
    }),
  ];
}

const insertWords = (
  { documentId, updatedMs }: IndexedDocument,
  { chunkId, title, headings, body }: IndexedPassage,
  facets: string,
): InStatement[] => [
  {
    sql: `insert into passages (chunk_id, document, class, updated) select ?, d.id, c.id, ?
      from documents d, classes c where d.document_id = ? and c.facets = ?`,
    args: [chunkId, updatedMs, documentId, facets],
  },
  {
    sql: 'insert into words (rowid, title, headings, body) values (last_insert_rowid(), ?, ?, ?)',
    args: [title, headings, body].map(indexable),
  },
];

const insertVector = (chunkId: string, vector: Float32Array): InStatement => ({
  sql: 'insert into vectors (passage, vector) select id, ? from passages where chunk_id = ?',
  args: [new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), chunkId],
});

/** What decides whether a passage counts for a query. */
export type Facets = { readers: string[]; collection: string; tags: string[]; language: string | null };

const facetsOf = ({ readers, collection, tags, language }: IndexedDocument): string =>
  JSON.stringify({ readers: [...readers].sort(), collection, tags: [...tags].sort(), language } satisfies Facets);

const hashOf = (parts: (string | number)[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);

const textOf = (value: unknown) => (typeof value === 'string' ? value : '');
