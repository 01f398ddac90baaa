import { v7 as newId } from 'uuid';
import { formatThousands, runConcurrently } from './measure.ts';
import type { Surroundings } from './servers.ts';
import { openStack } from './stack.ts';

const scope = { tenant: 'local', subject: 'local' };
const run = { runId: 'bench' };
/** Pieces as they are written: an answer of four seconds, every 40 ms some words. */
const pieces = Array.from({ length: 100 }, (_, n) => `some words of piece ${n} `);
const tables = ['tasks', 'task_events', 'contents', 'messages', 'model_calls', 'budgets'] as const;

type Growth = { table: string; rows: number; bytes: number };

/** Measures what finished answers leave in the database: streams as many through the ledger, without Temporal. */
export async function measureStoredAnswers({ count, ...surroundings }: { count: number } & Surroundings) {
  const { edge, adapters } = await openStack(surroundings, {});
  const { pool } = edge.postgres;
  const { tasks, events, ledger } = adapters;
  const usage = { inputTokens: 1_000, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 500, costUsd: 0.01 };

  async function answer(i: number) {
    const { id, head } = await tasks.create(scope, { agent: 'knowledge', input: { text: `Question ${i}?` } }, {});
    const task = { ...scope, taskId: id, agent: 'knowledge' };
    await tasks.start(task, run, { model: 'scripted:bench' });
    const call = {
      callId: newId(),
      step: 1,
      attempt: 1,
      purpose: 'turn',
      provider: 'scripted',
      model: 'bench',
    } as const;
    await ledger.beginModelCall(task, { ...run, ...call, worstCase: usage, dayLimits: [], replaces: [] });
    const { callId, step, attempt } = call;
    for (const piece of pieces.slice(0, -1)) await events.appendText(task, { ...run, callId, step, attempt }, piece);
    const text = `${pieces.join('')}${i}`;
    const { turn } = await ledger.settleModelCall(task, {
      ...call,
      parent: head,
      // The last piece comes with the end of the stream.
      streamed: { rest: pieces.at(-1) ?? '', pieces: pieces.length - 1 },
      usage,
      durationMs: 4_000,
      firstTokenMs: 100,
      parts: [{ type: 'text', text }],
      stopReason: 'end',
      result: { text, citations: [] },
    });
    if (turn.next !== 'answer') throw new Error('the answer has no result');
    await tasks.complete(task, run, turn.result);
  }

  const read = async (): Promise<Growth[]> => {
    await pool.query(`vacuum analyze`);
    const sizes = tables.map(
      (table) =>
        `select '${table}' as table, (select count(*)::int from ${table}) as rows, ${totalSize(table)}::float8 as bytes`,
    );
    return (await pool.query<Growth>(sizes.join(' union all '))).rows;
  };
  const before = await read();
  const { seconds } = await runConcurrently(count, 16, answer);
  const after = await read();

  console.log(
    `\n${formatThousands(count)} answers of ${pieces.length} pieces in ${seconds.toFixed(0)} s, ${pieces.join('').length} characters each\n`,
  );
  console.log('| table | rows an answer | bytes an answer, indexes too |\n| --- | --- | --- |');
  const growth = after.map(({ table, rows, bytes }, i) => ({
    table,
    rows: (rows - (before[i]?.rows ?? 0)) / count,
    bytes: (bytes - (before[i]?.bytes ?? 0)) / count,
  }));
  for (const { table, rows, bytes } of growth)
    console.log(`| ${table} | ${rows.toFixed(2)} | ${formatThousands(bytes)} |`);
  console.log(`| all | | ${formatThousands(growth.reduce((sum, { bytes }) => sum + bytes, 0))} |`);
}

/** The size of a table in SQL, with its indexes and its partitions, if it has any. */
const totalSize = (table: string) =>
  `(pg_total_relation_size('${table}') + coalesce((select sum(pg_total_relation_size(relid))
     from pg_partition_tree('${table}') where relid <> '${table}'::regclass), 0))`;
