import type pg from 'pg';

export const turnsOfConversation = 100;

/**
 * Generates tasks, each with a question, an answer, a model call, contents and two events. Nine of ten belong to
 * conversations, and every tenth has called a tool. Half of all belong to the subject `s0`, the others to 50 more. Ids
 * carry their times, as real ones do.
 *
 * @param count tasks, and contents
 */
export async function generateRows(client: pg.Client, count: number): Promise<void> {
  await client.query(`
    set synchronous_commit = off; set maintenance_work_mem = '512MB';
    create temporary table source as
      select n, (lpad(to_hex((1700000000000 + n * 10000::bigint)), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid as id,
        case when c % 2 = 0 then 's0' else 's' || 1 + c % 50 end as subject, c,
        case when n % 10 > 0 then 'c' || c end as conversation_id, to_timestamp(1700000000 + n * 10) as at
      from (select n, n / ${turnsOfConversation} as c from generate_series(1, ${count}) n) numbers;
    alter table model_calls disable trigger user`);
  for (const statement of statements) await client.query(statement);
  await client.query('alter table model_calls enable trigger user');
  await client.query('vacuum analyze');
}

const statements = [
  `insert into conversations (id, tenant, subject, agent, on_busy, request_hash, head, last_position, last_seq, created_at, updated_at)
     select '00000000-0000-7000-8000-' || lpad(to_hex(c), 12, '0'), 'bench', subject, 'knowledge', 'enqueue', 'r', 'a' || max(n),
       ${turnsOfConversation}, ${2 * turnsOfConversation}, min(at), max(at)
     from source where conversation_id is not null group by c, subject`,
  `update source set conversation_id = '00000000-0000-7000-8000-' || lpad(to_hex(c), 12, '0') where conversation_id is not null`,
  `insert into tasks (id, tenant, subject, agent, status, conversation_id, request_hash, input_head, result_hash, last_seq, created_at,
       updated_at, ended_at)
     select id, 'bench', subject, case when n % 5000 = 0 then 'rare' else 'knowledge' end,
       case when n % 1000 = 0 then 'failed' else 'completed' end, conversation_id, 'r', 'q' || n, 'r' || n, 2, at, at, at
     from source`,
  `insert into task_events (task_id, seq, type, data) select id, e, 'model.started', '{}' from source, generate_series(1, 2) e`,
  `insert into conversation_events (conversation_id, seq, task_id, task_seq)
     select conversation_id, row_number() over (partition by conversation_id order by n, e), id, e
     from source, generate_series(1, 2) e where conversation_id is not null`,
  `insert into model_calls (is_counted, task_id, step, attempt, outcome, provider, model, tenant, agent, head, result_hash, input_tokens,
       cache_read_tokens, cache_write_tokens, output_tokens, cost_usd, duration_ms)
     select true, id, 1, 1, 'completed', 'p', 'm', 'bench', 'knowledge', 'a' || n, 'r' || n, 1, 1, 1, 1, 1, 1 from source`,
  `insert into tool_calls (task_id, call_id, step, tool, result_hash) select id, 'c', 1, 't', 't' || n from source where n % 10 = 1`,
  `insert into contents (tenant, subject, hash, bytes)
     select 'bench', subject, 'r' || n, convert_to('{"text":"' || repeat('word ', 40) || n || '","citations":[]}', 'UTF8') from source
     union all select 'bench', subject, 't' || n, '"found"' from source where n % 10 = 1
     union all select 'bench', subject, 'u' || n, convert_to('a question ' || n, 'UTF8') from source where conversation_id is not null`,
  // A conversation's messages are one chain; those of other tasks stand alone.
  `insert into messages (tenant, subject, hash, parent, depth, body)
     select 'bench', subject, 'q' || n,
       case when conversation_id is not null then 'a' || lag(n) over (partition by conversation_id order by n) end, 1,
       '{"role":"user","text":"a question"}' from source`,
  `insert into messages (tenant, subject, hash, parent, depth, body)
     select 'bench', subject, 'a' || n, 'q' || n, 2, '{"role":"assistant","parts":[{"type":"text","text":"an answer"}]}' from source`,
  `insert into conversation_messages (conversation_id, id, position, content_hash, request, request_hash, task_id, state, outcome, head)
     select conversation_id, 'm' || n, n % ${turnsOfConversation} + 1, 'u' || n, '{}', 'r', id, 'done', 'started', 'q' || n
     from source where conversation_id is not null`,
  `insert into schedules (id, tenant, subject, name, timing, action, request_hash)
     select gen_random_uuid(), 'bench', 's0', 'n' || n, '{}', '{}', 'r' from generate_series(1, 1000) n`,
  `insert into schedule_runs (schedule_id, key, task_id)
     select s.id, t.id::text, t.id from schedules s, (select id from source limit 100) t`,
];
