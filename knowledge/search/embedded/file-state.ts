import type { Client, InStatement } from '@libsql/client';
import type { IndexPosition } from '../change-log.ts';

/** The position of an index file, and the model whose vectors it contains; `''` for none. */
export type FileState = IndexPosition & { model: string };

export async function readFileState(client: Client): Promise<FileState> {
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
 * Moves a file from one state to another, together with the statements of its content, in one transaction. Does nothing
 * when another process has moved the file already, so that no change is applied twice.
 */
export async function moveFileState(
  client: Client,
  from: IndexPosition,
  to: FileState,
  statements: (InStatement | string)[],
): Promise<void> {
  const move: InStatement = {
    // `applied` becomes null when the file is not at `from` any more. The column refuses null, which undoes the batch.
    sql: 'update state set applied = case when source = ? and applied = ? then ? end, source = ?, anchor = ?, model = ?',
    args: [from.source, from.applied, to.applied, to.source, to.anchor, to.model],
  };
  await client.batch([move, ...statements], 'write').catch((error: unknown) => {
    if (!/^SQLITE_CONSTRAINT/.test((error as { code?: string }).code ?? '')) throw error;
  });
}

/** Empties a file, so that it follows `source` from its beginning and takes the vectors of `model`. */
export async function resetFile(client: Client, from: IndexPosition, source: string, model: string): Promise<void> {
  const deletions = ['vectors', 'passages', 'documents', 'classes', 'spellings'].map((table) => `delete from ${table}`);
  const emptied = ['words', 'spelled'].map((table) => `insert into ${table} (${table}) values ('delete-all')`);
  await moveFileState(client, from, { source, applied: 0, anchor: null, model }, [...emptied, ...deletions]);
}

export const textOf = (value: unknown) => (typeof value === 'string' ? value : '');
