import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { Scope } from '../../contract/references.ts';
import type { CheckedCitation, Citation, TaskResult } from '../../contract/task.ts';
import { passagesOf, type FoundPassage } from '../../contract/rules/tool-output.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Citations } from '../../contract/ports/index.ts';
import { readOutputsFromEnd } from '../../adapters/postgres/messages/load-messages.ts';
import { isReadable } from './readable.ts';

/** Checks the citations of an answer against the documents as they are now. */
export const createTaskCitations = (db: Database): Citations => ({
  async list(owner, taskId, reader) {
    const task = isUuid(taskId) ? await findAnswer(db, owner, taskId) : undefined;
    if (!task) return undefined;
    const cited = task.result?.citations ?? [];
    if (cited.length === 0) return [];
    const documents = await loadCitedDocuments(db, reader ?? owner, cited);
    // The owner keeps what was read for the answer. A document that is gone has no readers any more.
    const citations = reader ? cited.filter(({ documentId }) => documents.has(documentId)) : cited;
    const passages = await loadShownPassages(db, owner, task.head, citations);
    return citations.map((citation) => {
      const passage = passages.get(citation.chunkId);
      return {
        ...citation,
        passage: passage ? { text: passage.text, start: passage.start, end: passage.end } : null,
        ...compareQuote(citation, documents.get(citation.documentId)),
      };
    });
  },

  async listReadable(reader, documentIds) {
    if (documentIds.length === 0) return new Set();
    const { rows } = await sql<{ id: string }>`
      select d.id from documents d where d.id = any(${[...new Set(documentIds)]}::uuid[]) and ${isReadable(reader)}`.execute(
      db,
    );
    return new Set(rows.map(({ id }) => id));
  },
});

/** The result of a task, and the message head of its last completed model call. */
async function findAnswer(db: Database, { tenant, subject }: Scope, taskId: string) {
  const { rows } = await sql<{ head: string | null; result: string | null }>`
    select convert_from(c.bytes, 'UTF8') as result, (
      select m.head from model_calls m where m.task_id = t.id and m.outcome = 'completed' and m.head is not null
      order by m.step desc limit 1
    ) as head
    from tasks t left join contents c on c.tenant = t.tenant and c.subject = t.subject and c.hash = t.result_hash
      and t.status = 'completed'
    where t.id = ${taskId} and t.tenant = ${tenant} and t.subject = ${subject} and t.erased_at is null`.execute(db);
  const [row] = rows;
  return row && { head: row.head, result: row.result === null ? undefined : (JSON.parse(row.result) as TaskResult) };
}

/** The cited passages as a tool returned them last before the answer, by chunk id. */
async function loadShownPassages(
  db: Database,
  scope: Scope,
  head: string | null,
  citations: Citation[],
): Promise<Map<string, FoundPassage>> {
  const missing = new Set(citations.map(({ chunkId }) => chunkId));
  const found = new Map<string, FoundPassage>();
  if (head === null) return found;
  for await (const outputs of readOutputsFromEnd(db, scope, head)) {
    for (const passage of outputs.flatMap((output) => (passagesOf(output) ?? []).reverse()))
      if (missing.delete(passage.chunkId)) found.set(passage.chunkId, passage);
    if (missing.size === 0) break;
  }
  return found;
}

type CitedDocument = { content_hash: string; version: number; text: string };

/** The cited documents that the subject may still read, by id. */
async function loadCitedDocuments(
  db: Database,
  scope: Scope,
  citations: Citation[],
): Promise<Map<string, CitedDocument>> {
  const rows = await db
    .selectFrom('documents as d')
    .select(['d.id', 'd.content_hash', 'd.version', 'd.text'])
    .where(isReadable(scope))
    .where('d.id', 'in', [...new Set(citations.map(({ documentId }) => documentId))])
    .execute();
  return new Map(rows.map(({ id, ...row }) => [id, row]));
}

/**
 * Whether the quote is still at its place in the document. When it is not, `now` is the nearest place that contains it.
 */
function compareQuote(
  { quote, start, end, contentHash }: Citation,
  document: CitedDocument | undefined,
): Pick<CheckedCitation, 'state' | 'now'> {
  if (!document) return { state: 'deleted', now: null };
  const { text, version } = document;
  if (text.slice(start, end) === quote)
    return { state: document.content_hash === contentHash ? 'unchanged' : 'moved', now: { version, start, end } };
  const before = text.lastIndexOf(quote, start);
  const after = text.indexOf(quote, start);
  const nearest = before >= 0 && (after < 0 || start - before < after - start) ? before : after;
  if (nearest < 0) return { state: 'changed', now: null };
  return { state: 'moved', now: { version, start: nearest, end: nearest + quote.length } };
}
