import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConversationRows } from '../../adapters/postgres/conversations/conversation-rows.ts';
import type { Scope } from '../../contract/references.ts';
import { createDocuments } from '../../knowledge/store/documents.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { alfred } from './run-alfred.ts';

let env: TestEnvironment;
const query = async <Row extends object>(text: string, values: unknown[] = []) =>
  (await env.postgres.pool.query<Row>(text, values)).rows;
const of = (subject: string): Scope => ({ tenant: 'acme', subject });
/** Without links, of a person with one, and of a channel. */
const [ann, ben, board] = [of('slack:T1:U1'), of('ben'), of('slack:T1:C1')];

/** A file of a message, with its document and a thread. */
async function bring({ tenant, subject }: Scope, place: { team: string; channel: string }, name: string) {
  const { team, channel } = place;
  const document = `slack/${'0'.repeat(64)}/${name}`;
  await putDocument(env.postgres.db, document, name, {
    scope: { tenant, subject },
    placement: { collection: 'slack', readers: [] },
  });
  const rows = createConversationRows(env.postgres.db);
  const { id } = await rows.create({ tenant, subject }, { agent: 'knowledge' }, { onBusy: 'enqueue' });
  const thread = [team, channel, `${name}.0`, tenant, subject];
  await query(
    `insert into slack_threads (team, channel, thread_ts, tenant, subject, conversation_id, agent, askers)
     values ($1, $2, $3, $4, $5, $6, 'knowledge', '{U1,U2,ben}')`,
    [...thread, id],
  );
  await query(
    `insert into slack_files (team, channel, thread_ts, tenant, subject, ts, position, name, document_name)
     values ($1, $2, $3, $4, $5, $3, 0, $6, $7)`,
    [...thread, name, document],
  );
}

beforeAll(async () => {
  env = await createTestEnvironment();
  await bring(ann, { team: 'T1', channel: 'D1' }, 'a.txt');
  await bring(ben, { team: 'T1', channel: 'D2' }, 'b.txt');
  await bring(board, { team: 'T1', channel: 'C1' }, 'c.txt');
  await bring(of('slack:T2:U1'), { team: 'T2', channel: 'D1' }, 'd.txt');
  await putDocument(env.postgres.db, 'own.txt', 'Of Ben.', { scope: ben, placement: { readers: [] } });
  await query(`insert into slack_links (team, user_id, tenant, subject) values ('T1', 'U2', 'acme', 'ben')`);
  await query(`
    insert into slack_channels (tenant, team, channel, user_ids, changed_by)
    values ('acme', 'T1', 'C1', '{U1,U2}', 'slack:T1:U1'), ('acme', 'T2', 'C1', '{U1}', 'x')`);
  for (const user of ['U1', 'U2'])
    await query(
      `insert into slack_feedback (task_id, team, user_id, tenant, subject, value, comment)
       values ($1, 'T1', $2, 'acme', $2, 'not_useful', 'It is wrong.')`,
      [randomUUID(), user],
    );
});
afterAll(() => env?.close());

const erase = async (...args: string[]) => {
  const { DATABASE_URL, ALFRED_DATA_DIR } = env.config;
  const ended = await alfred(['slack', 'erase', ...args, '--json'], { DATABASE_URL, ALFRED_DATA_DIR, NO_COLOR: '1' });
  return ended.code === 0 ? (JSON.parse(ended.stdout) as object) : ended;
};
const documents = async (scope: Scope) =>
  (await createDocuments(env.postgres.db).list(scope, { limit: 9 })).documents.map(({ name }) =>
    name.split('/').at(-1),
  );
const open = async ({ subject }: Scope) =>
  (await query('select from conversations where subject = $1 and deleted_at is null', [subject])).length;
const rowsOf = async (team: string) => {
  const counts: Record<string, number> = {};
  for (const table of ['files', 'feedback', 'links', 'threads', 'channels'])
    counts[table] = (await query(`select from slack_${table} where team = $1`, [team])).length;
  return counts;
};

test('without --yes it is counted, and nothing is deleted', async () => {
  expect(await erase('T1/U1')).toEqual({
    deleted: false,
    tenants: ['acme'],
    conversations: 1,
    documents: 1,
    files: 1,
    feedback: 1,
    links: 0,
    channels: 1,
  });
  expect(await documents(ann)).toEqual(['a.txt']);
  expect(await open(ann)).toBe(1);
  expect(await rowsOf('T1')).toEqual({ files: 3, feedback: 2, links: 1, threads: 3, channels: 1 });
});

test('of a person all goes that it has without a link, what it thinks of answers, and its id in channels', async () => {
  expect(await erase('T1/U1', '--yes')).toMatchObject({ deleted: true, documents: 1, conversations: 1 });
  expect([await documents(ann), await open(ann)]).toEqual([[], 0]);
  expect(await rowsOf('T1')).toEqual({ files: 2, feedback: 1, links: 1, threads: 2, channels: 1 });
  expect(await query("select user_ids, changed_by from slack_channels where team = 'T1'")).toEqual([
    { user_ids: ['U2'], changed_by: '' },
  ]);
  expect(await query("select distinct askers from slack_threads where team = 'T1'")).toEqual([
    { askers: ['U2', 'ben'] },
  ]);
  expect([await documents(board), await open(board)]).toEqual([['c.txt'], 1]);
  expect(await query('select tenant, via, action, resource_id from audit_pending')).toEqual([
    { tenant: 'acme', via: 'cli', action: 'slack.erase', resource_id: 'T1/U1' },
  ]);
});

test('of a person the uploads of contacts go that have ended, with what was rejected of them', async () => {
  await query(
    `with uploads as (
       insert into contact_ingests (id, tenant, subject, source, format, status, ended_at)
       select gen_random_uuid(), 'acme', subject, 'slack', 'jsonl', 'completed', now()
       from unnest(array['slack:T1:U1', 'slack:T1:U3']) subject returning id)
     insert into contact_rejects (ingest_id, line, reason, fields) select id, 1, 'r', '{}' from uploads`,
  );
  await erase('T1/U1', '--yes');
  expect(await query('select i.subject from contact_rejects r join contact_ingests i on i.id = r.ingest_id')).toEqual([
    { subject: 'slack:T1:U3' },
  ]);
});

test('of a person with a link what came by Slack goes, and the link', async () => {
  await erase('T1/U2', '--yes');
  expect([await documents(ben), await open(ben)]).toEqual([['own.txt'], 0]);
  expect(await rowsOf('T1')).toEqual({ files: 1, feedback: 0, links: 0, threads: 1, channels: 1 });
});

test('of a workspace all goes, when it is not let in any more', async () => {
  const state = (text: string) =>
    query(`insert into slack_installations
      (team, name, state, tenant, bot_id, bot_user_id, installed_by, token, ended_at) values ('T1', 'n', ${text})
      on conflict (team) do update set state = excluded.state, token = excluded.token, ended_at = excluded.ended_at`);
  await state("'allowed', 'acme', 'B', 'U', 'U', 'x', null");
  expect(await erase('T1', '--yes')).toMatchObject({ code: 1, stderr: expect.stringContaining('is let in') });
  expect(await documents(board)).toEqual(['c.txt']);
  await state("'ended', 'acme', 'B', 'U', 'U', null, now()");
  await erase('T1', '--yes');
  expect([await documents(board), await open(board)]).toEqual([[], 0]);
  expect(await rowsOf('T1')).toEqual({ files: 0, feedback: 0, links: 0, threads: 0, channels: 0 });
  expect(await query("select from slack_installations where team = 'T1'")).toEqual([]);
  expect(await rowsOf('T2')).toMatchObject({ files: 1, threads: 1, channels: 1 });
  expect(await documents(of('slack:T2:U1'))).toEqual(['d.txt']);
});
