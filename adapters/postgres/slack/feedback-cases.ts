import { sql } from 'kysely';
import type { FeedbackValue } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { readTask, toTaskRow } from '../tasks/task-row.ts';

/**
 * An answer in Slack and what a person thinks of it, in the form of a question for `alfred eval answers`. `group` is
 * there for a useful answer with sources: asked again, these documents must answer it.
 */
export type FeedbackCase = {
  question: string;
  group?: 'answerable';
  /** What was asked before in the conversation, the newest last. */
  history?: string[];
  /** Names of the documents that the answer cites. */
  documents: string[];
  answer: string;
  value: FeedbackValue;
  comment: string | null;
  /** Who thinks so. */
  subject: string;
  agent: string;
  model: string | null;
  taskId: string;
  givenAt: string;
};

type Row = {
  taskId: string;
  team: string;
  userId: string;
  subject: string;
  value: FeedbackValue;
  comment: string | null;
  givenAt: Date;
};

const rowsAtOnce = 200;
/** As many as a question for an evaluation may have. */
const longestHistory = 20;

/** For operators. The oldest task first. A task whose content was deleted is left out. */
export async function* readFeedbackCases(db: Database, tenant: string): AsyncGenerator<FeedbackCase> {
  let after: Row | undefined;
  while (true) {
    const rows = await readRows(db, tenant, after);
    for (const row of rows) {
      const found = await readCase(db, tenant, row);
      if (found) yield found;
    }
    after = rows.at(-1);
    if (!after) return;
  }
}

async function readRows(db: Database, tenant: string, after: Row | undefined): Promise<Row[]> {
  const { rows } = await sql<Row>`
    select task_id as "taskId", team, user_id as "userId", subject, value, comment, given_at as "givenAt"
    from slack_feedback
    where tenant = ${tenant} and ${
      after ? sql`(task_id, team, user_id) > (${after.taskId}::uuid, ${after.team}, ${after.userId})` : sql`true`
    }
    order by task_id, team, user_id limit ${rowsAtOnce}`.execute(db);
  return rows;
}

async function readCase(db: Database, tenant: string, row: Row): Promise<FeedbackCase | undefined> {
  const { taskId, subject, value, comment, givenAt } = row;
  const selected = await readTask(db, sql`t.id = ${taskId}::uuid and t.tenant = ${tenant} and t.erased_at is null`);
  if (!selected) return undefined;
  const { input, result, agent, model } = toTaskRow(selected);
  if (!input || !result) return undefined;
  const documents = [...new Set(result.citations.map(({ document }) => document))];
  const history = await readHistory(db, taskId);
  return {
    question: input.text,
    ...(value === 'useful' && documents.length > 0 ? { group: 'answerable' as const } : {}),
    ...(history.length > 0 ? { history } : {}),
    documents,
    answer: result.text,
    value,
    comment,
    subject,
    agent,
    model,
    taskId,
    givenAt: givenAt.toISOString(),
  };
}

/** The messages of people before that of the task, in its conversation. */
async function readHistory(db: Database, taskId: string): Promise<string[]> {
  const { rows } = await sql<{ text: string }>`
    select convert_from(c.bytes, 'UTF8') as text
    from tasks t
    join conversation_messages own on own.conversation_id = t.conversation_id and own.task_id = t.id
    join conversation_messages m on m.conversation_id = t.conversation_id and m.position < own.position
      and m.state not in ('passed_over', 'rolled_back', 'dropped', 'rejected')
    join contents c on c.tenant = t.tenant and c.subject = t.subject and c.hash = m.content_hash
    where t.id = ${taskId}::uuid
    order by m.position desc limit ${longestHistory}`.execute(db);
  return rows.map(({ text }) => text).reverse();
}
