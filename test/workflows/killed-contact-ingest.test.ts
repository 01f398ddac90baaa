import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { createContactIngests } from '../../adapters/postgres/contacts/contact-ingests.ts';
import { startContactIngest } from '../../adapters/temporal/contact-control.ts';
import { contactIngestWorkflowId, systemQueue } from '../../contract/ids.ts';
import { readContacts } from '../../parsing/contacts/read-contacts.ts';
import { generatedContacts } from '../support/contacts/generated-contacts.ts';
import { scope, useContacts } from '../support/contacts/stored-contacts.ts';
import { createAdapterEnvironment, type AdapterEnvironment } from '../support/environment/adapter-environment.ts';
import { hubSpotToken, startFakeHubSpot, type FakeHubSpot } from '../support/fakes/fake-hubspot.ts';
import { createKillableProcesses } from '../support/processes/killable-processes.ts';
import { until } from '../support/until.ts';

/** After these batches the worker is killed while it stores the next one. */
const kills = [3, 10, 17];
const lines = 2_000;
const batchLines = 50;
/** An advisory lock that each batch shares: while the test has it alone, the next batch stays under way. */
const batchLock = 7;

let env: AdapterEnvironment;
let hubSpot: FakeHubSpot;
let workers: ReturnType<typeof createKillableProcesses>;
let listener: pg.Client;
beforeAll(async () => {
  hubSpot = await startFakeHubSpot();
  env = await createAdapterEnvironment({
    ALFRED_CRM: 'hubspot',
    ALFRED_CRM_TENANT: 'local',
    HUBSPOT_ACCESS_TOKEN: hubSpotToken,
    HUBSPOT_URL: hubSpot.url,
  });
  listener = new pg.Client({ connectionString: env.config.DATABASE_URL });
  await listener.connect();
  await listener.query(`
    create function notify_batch() returns trigger language plpgsql as $$
      begin
        perform pg_advisory_xact_lock_shared(${batchLock}), pg_notify('batches', new.next_batch::text);
        return null;
      end $$;
    create trigger batch_stored after update of next_batch on contact_ingests
      for each row execute function notify_batch();
    listen batches`);
  workers = createKillableProcesses(['workers/main.ts', '--queue', systemQueue], env.config, {
    urlFor: () => env.config.DATABASE_URL,
  });
});
afterAll(async () => {
  await workers?.end();
  await listener?.end();
  await env?.close();
  await hubSpot?.close();
});

let killing = Promise.resolve();

/** Holds up the next batch, and kills a worker as soon as one is ready. */
async function killAtNextBatch(): Promise<void> {
  await listener.query('select pg_advisory_lock($1)', [batchLock]);
  await until('a worker that is ready is killed', () => workers.ready().some((name) => workers.kill(name)));
  await listener.query('select pg_advisory_unlock($1)', [batchLock]);
}

test('an upload whose worker is killed again and again ends as one that nothing disturbs, in the CRM too', async () => {
  const contactIngests = createContactIngests(env.postgres.db, readContacts, { lines: batchLines, characters: 1e6 });
  const use = useContacts({ contacts: env.adapters.contacts, contactIngests });
  const csv = [...generatedContacts(lines)].join('');
  const undisturbed = { tenant: 'undisturbed', subject: 'ann' };
  const expected = await use.ingest(csv, { by: undisturbed });

  const left = [...kills];
  listener.on('notification', ({ payload = '' }) => {
    const [from] = left;
    if (from === undefined || Number(payload) < from) return;
    left.shift();
    killing = killing.then(killAtNextBatch);
  });
  hubSpot.fail('limit', 'lost');
  const { ingest } = await use.receive(csv);
  workers.start();
  await workers.someReady();
  await startContactIngest(env.client, env.config, use.refOf(ingest.id));
  const ended = await until('the upload has ended', () => contactIngests.get(scope, ingest.id), {
    accept: ({ status }) => status !== 'running',
    withinMs: 150_000,
  });
  await killing;
  expect([left, workers.killed()]).toEqual([[], kills.length]);
  expect(ended).toMatchObject({ status: 'completed', lines, counts: expected.counts });
  expect(await use.everybody()).toEqual(await use.everybody(undisturbed.tenant));
  const mergesOf = async (id: string, tenant?: string) =>
    (await use.merges(id, tenant)).map(({ line, reason, incoming }) => ({ line, reason, incoming }));
  expect(await mergesOf(ingest.id)).toEqual(await mergesOf(expected.id, undisturbed.tenant));
  expect(await contactIngests.listRejects(scope, ingest.id, 0, lines)).toEqual(
    await contactIngests.listRejects(undisturbed, expected.id, 0, lines),
  );
  const history = await env.client.workflow.getHandle(contactIngestWorkflowId(ingest.id)).fetchHistory();
  expect(JSON.stringify(history)).not.toMatch(/example\.com|retail/);

  await until('the CRM has everybody', async () => {
    const { rows } = await env.postgres.pool.query(`select from contacts where tenant = 'local' and crm_due`);
    return rows.length === 0;
  });
  const { rows } = await env.postgres.pool.query<{ email: string; id: string }>(
    `select body -> 'emails' ->> 0 as email, crm_id as id from contacts where tenant = 'local' and crm_id is not null`,
  );
  const inCrm = [...hubSpot.contacts].map(([email, { id }]) => ({ email, id }));
  const byEmail = (a: { email: string }, b: { email: string }) => (a.email < b.email ? -1 : 1);
  expect(inCrm.sort(byEmail)).toEqual(rows.sort(byEmail));
  expect(hubSpot.tooEarly()).toBe(0);
});
