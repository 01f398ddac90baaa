import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createErasure } from '../../../adapters/postgres/erasure/erasure.ts';
import type { MessageHead, TaskRef } from '../../../contract/references.ts';
import {
  completedCall,
  createLedgerHarness,
  failedCall,
  local,
  openCall,
  run,
  type LedgerHarness,
} from '../../support/ledger/ledger-harness.ts';

// Calls that end while their task is erased, or while Postgres has lost text of it.

let harness: LedgerHarness;
let task: TaskRef;
let head: MessageHead;

beforeAll(async () => {
  harness = await createLedgerHarness();
});
beforeEach(async () => {
  ({ task, head } = await harness.newTask());
});
afterAll(() => harness?.close());

const begin = (attempt: number) => harness.begin(task, { attempt });

test('an answer that is stored once more, after its task was erased, leaves nothing that no row leads to', async () => {
  const answer = completedCall(await begin(1), head, 'STORED TWICE', {
    correction: { because: 'citation_unknown', text: 'STORED TWICE, and corrected' },
  });
  await harness.ledger.settleModelCall(task, answer);
  await harness.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
  await createErasure(harness.db, harness.log).deleteTask(local, task.taskId);
  // Its first attempt was committed, and only the confirmation was lost.
  await expect(harness.ledger.settleModelCall(task, answer)).rejects.toThrow('no completed call');
  await harness.ledger.failModelCall(task, {
    ...failedCall(openCall({ callId: answer.callId })),
    cut: { parent: head, parts: [{ type: 'text', text: 'STORED TWICE, and cut' }] },
  });
  const { rows } = await harness.pool.query(`
    select body::text as text from messages union all select convert_from(bytes, 'UTF8') from contents`);
  expect(rows.filter(({ text }) => String(text).includes('STORED TWICE'))).toEqual([]);
});

test.each(['answers', 'fails'] as const)(
  'a lost attempt that %s while its task is erased waits for it',
  async (how) => {
    const lost = await begin(1);
    await harness.ledger.beginToolCall(task, { ...run, callId: 'c1', tool: 'look', step: 1, arguments: {} });
    await harness.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
    await harness.ledger.writeOffOpenCalls(task);
    // The erasure has locked the task, and not yet its calls.
    const release = await harness.lockRow('select from tool_calls where task_id = $1', task.taskId);
    const erasing = createErasure(harness.db, harness.log).deleteTask(local, task.taskId);
    await harness.untilStatementsWait(1);
    const ending: Promise<unknown> =
      how === 'fails'
        ? harness.ledger.failModelCall(task, failedCall(lost))
        : harness.ledger.settleModelCall(task, completedCall(lost, head, 'late'));
    await harness.untilStatementsWait(2);
    await release();
    await Promise.all([ending, erasing]);
    expect(await harness.outcomesOf(task)).toEqual([how === 'fails' ? 'model_unavailable' : 'completed']);
    const { rows } = await harness.pool.query('select erased_at from tasks where id = $1', [task.taskId]);
    expect(rows).toEqual([{ erased_at: expect.any(Date) }]);
    // A deadlock would have left its receipts.
    const receipts = await harness.pool.query('select from tool_calls where task_id = $1', [task.taskId]);
    expect(receipts.rows).toEqual([]);
  },
);

test('a call that ends while another statement stores lost text again waits for it, and is not waste', async () => {
  const call = await begin(1);
  await harness.events.appendText(task, call, 'lost');
  const { pool } = harness;
  const [piece] = (await harness.eventsOf(task)).slice(-1);
  // A crash of Postgres takes the piece back.
  await pool.query('delete from task_events where task_id = $1 and seq = $2', [task.taskId, piece?.seq]);
  await pool.query('update tasks set last_seq = last_seq - 1 where id = $1', [task.taskId]);
  const storing = await pool.connect();
  await storing.query('begin');
  await storing.query('update tasks set last_seq = last_seq + 1 where id = $1', [task.taskId]);
  await storing.query(`insert into task_events (task_id, seq, type, data) values ($1, $2, 'text.delta', $3)`, [
    task.taskId,
    piece?.seq,
    JSON.stringify(piece?.data),
  ]);
  const settling = harness.ledger.settleModelCall(task, completedCall(call, head, 'lost'));
  await harness.untilStatementsWait(1);
  await storing.query('commit');
  storing.release();
  await settling;
  expect(await harness.outcomesOf(task)).toEqual(['completed']);
  expect((await harness.eventTypes(task)).slice(-2)).toEqual(['text.delta', 'model.completed']);
});
