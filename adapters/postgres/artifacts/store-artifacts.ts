import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import type { NewTaskEvent } from '../../../contract/events.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { TaskRef } from '../../../contract/references.ts';
import { fitArtifacts, type CheckedArtifact } from '../../../contract/rules/artifacts.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { insertContent } from '../messages/contents.ts';
import { storableText } from '../storable-json.ts';

type Call = { step: number; callId: string; tool: string };
type StoredArtifacts = { events: NewTaskEvent[]; kept: string[]; refused: string[] };

/** Files that were not kept of which the model reads why. */
const explainedFiles = 10;

/**
 * Stores the files of a tool call, as far as the task may keep them. The caller holds the lock on the subject's
 * contents and on the task's row, and has seen that the call has no result yet.
 *
 * @param trx a transaction, in which the caller stores the result too
 */
export async function storeArtifacts(
  trx: Database,
  task: TaskRef,
  call: Call,
  artifacts: readonly CheckedArtifact[],
): Promise<StoredArtifacts> {
  const { rows } = await sql<{ files: number; bytes: number }>`
    select count(*)::int as files, coalesce(sum(size_bytes), 0)::int as bytes
    from artifacts where task_id = ${task.taskId}`.execute(trx);
  const { kept, refused } = fitArtifacts(artifacts, rows[0] ?? { files: 0, bytes: 0 });
  const events: NewTaskEvent[] = [];
  for (const [ordinal, artifact] of kept.entries())
    events.push(await storeArtifact(trx, task, call, { ...artifact, ordinal }));
  return { events, kept: kept.map(({ name }) => name), refused };
}

async function storeArtifact(
  trx: Database,
  task: TaskRef,
  { step, callId, tool }: Call,
  { ordinal, mediaType, bytes, ...artifact }: CheckedArtifact & { ordinal: number },
): Promise<NewTaskEvent> {
  const digest = createHash('sha256').update(bytes).digest();
  const hash = digest.toString('base64url');
  const name = storableText(artifact.name);
  const artifactId = newId();
  await insertContent(task, hash, bytes).execute(trx);
  await trx
    .insertInto('artifacts')
    .values({
      id: artifactId,
      task_id: task.taskId,
      step,
      call_id: callId,
      ordinal,
      name,
      media_type: mediaType,
      content_hash: hash,
      size_bytes: bytes.byteLength,
    })
    .execute();
  const sha256 = digest.toString('hex');
  return {
    type: 'artifact.created',
    data: { step, callId, tool, artifactId, name, mediaType, bytes: bytes.byteLength, sha256 },
  };
}

/**
 * The result of a call, with what the model must know of files that were not kept. A list of the call's files in the
 * result becomes that of the kept ones.
 *
 * @param made the names of all files of the call
 */
export function withRefusals(
  output: JsonValue,
  made: readonly string[],
  { kept, refused }: Pick<StoredArtifacts, 'kept' | 'refused'>,
): JsonValue {
  if (refused.length === 0) return output;
  const explained = refused.slice(0, explainedFiles).join(' ');
  const more = refused.length - explainedFiles;
  return {
    note: `Files were not kept. ${explained}${more > 0 ? ` So it is with ${more} more.` : ''}`,
    result: namesFiles(output, made) ? { ...output, files: kept } : output,
  };
}

function namesFiles(output: JsonValue, made: readonly string[]): output is { files: string[] } {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return false;
  const { files } = output;
  return Array.isArray(files) && files.length === made.length && files.every((name, at) => name === made[at]);
}
