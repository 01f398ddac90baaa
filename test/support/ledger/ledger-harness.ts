import { expect } from '@jest/globals';
import { v7 as newId } from 'uuid';
import { createMessageStore } from '../../../adapters/postgres/messages/message-store.ts';
import { createEventListener } from '../../../adapters/postgres/event-listener.ts';
import { createTaskEvents } from '../../../adapters/postgres/tasks/task-events.ts';
import { createLedger } from '../../../adapters/postgres/ledger/ledger.ts';
import { createTasks } from '../../../adapters/postgres/tasks/tasks.ts';
import type {
  CompletedModelCall,
  DayLimit,
  FailedModelCall,
  Ledger,
  OpenModelCall,
  PaidCall,
} from '../../../contract/ports/index.ts';
import type { BudgetLimits, MessageHead, Scope, TaskRef, Usage } from '../../../contract/references.ts';
import { createTestEnvironment } from '../environment/environment.ts';
import { until } from '../until.ts';

/** A task, and the message head of its question. */
export type LedgerTask = { task: TaskRef; head: MessageHead };

export type LedgerRow = {
  call_id: string;
  step: number;
  attempt: number;
  purpose: string;
  outcome: string;
  tokens: number;
  cost_usd: number;
};

export const run = { runId: 'run-1' };
export const local: Scope = { tenant: 'local', subject: 'local' };

/** Usage without cached tokens. */
export const usageOf = (inputTokens: number, outputTokens: number, costUsd: number): Usage => ({
  inputTokens,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens,
  costUsd,
});

/** The worst case of a call, and what it uses when it completes, unless a test says otherwise. */
export const worstCase = usageOf(100, 50, 0.1);
export const usedByDefault = usageOf(10, 5, 0.01);

/** The first attempt of a task's first call, before it starts. */
export const openCall = (changes: Partial<OpenModelCall> = {}): OpenModelCall => ({
  ...run,
  callId: newId(),
  step: 1,
  attempt: 1,
  replaces: [],
  purpose: 'turn',
  provider: 'scripted',
  model: 'x',
  worstCase,
  dayLimits: [],
  ...changes,
});

/** The result of that attempt when it completes. */
export const completedCall = (
  { callId, step, attempt, purpose, provider, model }: OpenModelCall,
  parent: MessageHead,
  text: string,
  changes: Partial<CompletedModelCall> = {},
): CompletedModelCall => ({
  callId,
  step,
  attempt,
  purpose,
  provider,
  model,
  parent,
  usage: usedByDefault,
  durationMs: 1,
  firstTokenMs: 1,
  parts: [{ type: 'text', text }],
  stopReason: 'end',
  result: { text, citations: [] },
  ...changes,
});

/** The result of that attempt when it fails; by default in the middle of its answer, so tokens are used. */
export const failedCall = (
  { callId, step, attempt, purpose, provider, model }: OpenModelCall,
  changes: Partial<FailedModelCall> = {},
): FailedModelCall => ({
  callId,
  step,
  attempt,
  purpose,
  provider,
  model,
  usage: usedByDefault,
  durationMs: 1,
  firstTokenMs: null,
  code: 'model_unavailable',
  message: 'broke off',
  mayRetry: true,
  ...changes,
});

/** Begins an attempt as if those before were gone. @returns what was paid before */
export async function beginReplacing(
  ledger: Ledger,
  task: TaskRef,
  call: OpenModelCall,
): Promise<PaidCall | undefined> {
  while (true) {
    const replaces = await ledger.listOpenCalls(task, call);
    const begun = await ledger.beginModelCall(task, { ...call, replaces });
    if (begun !== 'running') return begun;
  }
}

/** The ledger, tasks, events and messages on a database of their own, without Temporal workflows. */
export async function createLedgerHarness() {
  const env = await createTestEnvironment();
  const { db, pool } = env.postgres;
  const listener = createEventListener(() => env.config.DATABASE_URL, env.log);
  const parts = {
    ledger: createLedger(db),
    tasks: createTasks(db),
    events: createTaskEvents(db, listener),
    messageStore: createMessageStore(db),
  };
  return {
    ...parts,
    db,
    log: env.log,
    pool,
    /** Creates a task and starts it. */
    async newTask(budget: BudgetLimits = {}, scope: Scope = local): Promise<LedgerTask> {
      const { id, head } = await parts.tasks.create(scope, { agent: 'knowledge', input: { text: 'Why?' } }, { budget });
      const task = { ...scope, taskId: id, agent: 'knowledge' };
      await parts.tasks.start(task, run, { model: 'scripted:x' });
      return { task, head };
    },
    /** Begins an attempt at a step that is not paid yet; those before are gone. @returns the attempt */
    async begin(task: TaskRef, changes: Partial<OpenModelCall> = {}): Promise<OpenModelCall> {
      const call = openCall(changes);
      expect(await beginReplacing(parts.ledger, task, call)).toBeUndefined();
      return call;
    },
    /** The ledger's rows for a task, oldest first. */
    async rowsOf({ taskId }: TaskRef): Promise<LedgerRow[]> {
      const { rows } = await pool.query<LedgerRow>(
        `select call_id, step, attempt, purpose, outcome, cost_usd,
           input_tokens + cache_read_tokens + cache_write_tokens + output_tokens as tokens
         from model_calls where task_id = $1 order by id`,
        [taskId],
      );
      return rows;
    },
    async outcomesOf(task: TaskRef) {
      return (await this.rowsOf(task)).map(({ outcome }) => outcome);
    },
    /** What is charged to a budget; undefined when the budget has no row. */
    async budgetOf(id: string) {
      const { rows } = await pool.query<{ usd: number; tokens: number; calls: number }>(
        'select usd, tokens, calls from budgets where id = $1',
        [id],
      );
      return rows[0];
    },
    async usageOf({ tenant, subject, taskId }: TaskRef) {
      return (await parts.tasks.get({ tenant, subject }, taskId))?.usage;
    },
    async eventsOf(task: TaskRef) {
      return parts.events.read(task, task.taskId, 0, 500);
    },
    async eventTypes(task: TaskRef) {
      return (await this.eventsOf(task)).map(({ type }) => type);
    },
    /** Locks rows from another connection. @returns releases them */
    async lockRow(select: string, id: string): Promise<() => Promise<void>> {
      const client = await pool.connect();
      await client.query('begin');
      await client.query(`${select} for update`, [id]);
      return async () => {
        await client.query('rollback');
        client.release();
      };
    },
    /** Resolves when `count` statements wait for a lock. */
    async untilStatementsWait(count: number) {
      const waiting = `select count(*) as n from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      await until(
        `${count} statements wait for a lock`,
        async () => ((await pool.query<{ n: number }>(waiting)).rows[0]?.n ?? 0) >= count,
        { withinMs: 60_000, everyMs: 5 },
      );
    },
    async close() {
      await listener.close();
      await env.close();
    },
  };
}
export type LedgerHarness = Awaited<ReturnType<typeof createLedgerHarness>>;

/** A day limit with an id of its own. */
export const dayLimit = (
  scope: 'agent' | 'tenant',
  limits: Omit<DayLimit, 'id'>,
  name: string = newId(),
): DayLimit => ({
  id: scope === 'agent' ? `agent/${name}/knowledge/2026-01-01` : `tenant/${name}/2026-01-01`,
  ...limits,
});
