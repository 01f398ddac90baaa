import type { Scope } from '../../../contract/references.ts';
import type { Adapters } from '../../../wiring/adapters.ts';

/** A file of each task; some tasks are below others. */
export const generatedArtifacts = `
  insert into artifacts (id, task_id, step, call_id, ordinal, name, media_type, content_hash, size_bytes)
    select id, id, 1, 'c', 0, 'n', 'text/csv', 'a' || result_hash, 2 from tasks;
  insert into contents (tenant, subject, hash, bytes) select tenant, subject, 'a' || result_hash, '{}' from tasks;
`;

/** Reads the files of a task. The id of each file is that of its task. */
export async function sendArtifactQueries({ tasks, artifacts }: Adapters, scope: Scope, taskId: string): Promise<void> {
  await tasks.get(scope, taskId);
  await artifacts.list(scope, taskId);
  const open = await artifacts.open(scope, taskId, taskId);
  if (!open) throw new Error('there is no file to read');
  for await (const part of open.content) if (part.length !== 2) throw new Error('the file is another one');
}
