import { sql } from 'kysely';
import type { TaskInstructions } from '../../../contract/ports/index.ts';
import { memoryJson, readableIds, toMemory } from '../memories/memory-rows.ts';

/** The owner of the task `t`. */
const owner = { tenant: sql`t.tenant`, subject: sql`t.subject` };

/** What stands beside the instructions of the agent of the task `t`, as JSON. */
export const instructionsJson = sql`jsonb_build_object(
  'own', (
    select s.instructions from agent_settings s
    where s.tenant = t.tenant and s.agent = t.agent and s.version = t.settings_version),
  'added', (select a.instructions from conversations a where a.id = t.conversation_id and a.tenant = t.tenant),
  'memories', (
    select jsonb_agg(${memoryJson} order by array_position(t.memories, m.id)) from memories m
    where m.id = any(t.memories) and m.id in (${readableIds(owner)})),
  'mayRecall', t.memories is null and exists (${readableIds(owner)}))`;

type Stored = {
  own: string | null;
  added: string | null;
  memories: Parameters<typeof toMemory>[0][] | null;
  mayRecall: boolean;
};

/** @param json undefined when there is no such task */
export function toInstructions(json: string | undefined): TaskInstructions {
  if (json === undefined) return { mayRecall: false };
  const { own, added, memories, mayRecall } = JSON.parse(json) as Stored;
  return { own: own ?? undefined, added: added ?? undefined, memories: memories?.map(toMemory), mayRecall };
}
