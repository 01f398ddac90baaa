import { defaultMessageOf } from '../errors.ts';
import type { ScheduleRow } from '../schedule.ts';
import type { SourceRow } from '../sources.ts';
import type { TaskError, TaskRow } from '../task.ts';

// What those see of a thing who may see that it exists, and not what is in it. Each field is named here, so that a new
// one is left out until a person decides about it.

/** A task without what was asked, answered and done. */
export const taskMetadata = (row: TaskRow, owner: string): TaskRow => ({
  id: row.id,
  owner,
  agent: row.agent,
  status: row.status,
  model: row.model,
  conversationId: null,
  scheduleId: row.scheduleId ?? null,
  metadata: {},
  budget: row.budget,
  result: null,
  error: withoutWords(row.error),
  waiting: row.waiting && waitingMetadata(row.waiting),
  effects: [],
  usage: row.usage,
  parentId: row.parentId ?? null,
  ...(row.children ? { children: row.children } : {}),
  ...(row.usageWithChildren ? { usageWithChildren: row.usageWithChildren } : {}),
  lastSeq: row.lastSeq,
  createdAt: row.createdAt,
  startedAt: row.startedAt,
  endedAt: row.endedAt,
});

/** The reason, and the numbers of a budget, which an operator can widen. */
function waitingMetadata({ reason, limit, scope, max, charged, needed, model, service }: WaitingRow): WaitingRow {
  const message = `It waits: ${reason}.`;
  return Object.fromEntries(
    Object.entries({ reason, message, limit, scope, max, charged, needed, model, service }).filter(
      ([, value]) => value !== undefined,
    ),
  ) as WaitingRow;
}
type WaitingRow = NonNullable<TaskRow['waiting']>;

/** An error by its code: its message may hold a part of what the task read. */
const withoutWords = (error: TaskError | null): TaskError | null =>
  error && { code: error.code, message: defaultMessageOf(error.code) };

/** A schedule without its name, its note and what it asks. `tenant` and `subject` say whose it is. */
export const scheduleMetadata = (row: ScheduleRow): ScheduleRow => ({
  id: row.id,
  tenant: row.tenant,
  subject: row.subject,
  name: '',
  timing: row.timing,
  action: {},
  paused: row.paused,
  note: null,
  recentRuns: row.recentRuns.map(({ at, taskId, error }) => ({
    at,
    taskId,
    conversationId: null,
    messageId: null,
    error: withoutWords(error),
  })),
  running: row.running,
  createdAt: row.createdAt,
  updatedAt: row.updatedAt,
});

/** A source without its address, and without what it brings where. */
export const sourceMetadata = (row: SourceRow, owner: string): SourceRow => ({
  id: row.id,
  owner,
  kind: row.kind,
  address: '',
  options: {},
  collection: '',
  readers: null,
  tags: null,
  everyS: row.everyS,
  sync: {
    state: row.sync.state,
    counts: row.sync.counts,
    error: withoutWords(row.sync.error),
    requestedAt: row.sync.requestedAt,
    startedAt: row.sync.startedAt,
    endedAt: row.sync.endedAt,
  },
  failures: [],
  createdAt: row.createdAt,
});
