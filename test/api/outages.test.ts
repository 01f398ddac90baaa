import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createAdapters } from '../../wiring/adapters.ts';
import { hashHex } from '../../adapters/postgres/hashes.ts';
import { sourceScheduleId } from '../../contract/ids.ts';
import { openPostgres } from '../../runtime/database/postgres.ts';
import { connectTemporal, createClient } from '../../runtime/temporal.ts';
import { createTcpProxy } from '../support/processes/tcp-proxy.ts';
import { until, untilAborted, untilPasses } from '../support/until.ts';
import { createApiHarness, startApi, type ApiHarness } from './api-harness.ts';

type Pod = Awaited<ReturnType<typeof podBehindCables>>;
let harness: ApiHarness;
let pod: Pod;
beforeAll(async () => {
  harness = await createApiHarness();
  pod = await podBehindCables();
});
afterAll(async () => {
  await pod?.close();
  await harness?.close();
});

afterEach(() => {
  pod.postgresCable.plug();
  pod.temporalCable.plug();
});

/** An API whose connections to Postgres and Temporal can be cut. The workers stay connected. */
async function podBehindCables() {
  const database = new URL(harness.config.DATABASE_URL);
  const postgresCable = await createTcpProxy(database.host);
  const temporalCable = await createTcpProxy(harness.config.TEMPORAL_ADDRESS);
  database.host = postgresCable.address;
  const config = { ...harness.config, DATABASE_URL: database.toString(), TEMPORAL_ADDRESS: temporalCable.address };
  const postgres = openPostgres(config, harness.log);
  const connection = await connectTemporal(config);
  const client = createClient(connection, config);
  const adapters = createAdapters({ config, log: harness.log, postgres, client });
  const api = await startApi({ ...harness, ...adapters, config, postgres, connection, client });
  return {
    ...api,
    documents: adapters.documents,
    postgresCable,
    temporalCable,
    async close() {
      postgresCable.plug();
      temporalCable.plug();
      await api.app.close();
      await adapters.close();
      await postgres.close();
      await connection.close();
      await postgresCable.close();
      await temporalCable.close();
    },
  };
}

const ask = (key: string) => pod.http.post('/v1/tasks', { input: { text: 'What?' } }, { 'idempotency-key': key });
const finished = (id: string) => harness.http.get(`/v1/tasks/${id}`, { prefer: 'wait=30' });

/** Repeats a request as a careful caller does: with the same key, after the `Retry-After` of the response. */
async function askUntilAccepted(key: string) {
  for (let attempt = 1; attempt <= 20; attempt++) {
    const answer = await ask(key);
    if (answer.status === 202) return answer;
    await new Promise((resolve) => setTimeout(resolve, Number(answer.headers.get('retry-after')) * 1_000));
  }
  throw new Error('never accepted');
}

describe('while Temporal is unavailable', () => {
  test('a refused upload stores no bytes', async () => {
    pod.temporalCable.cut();
    const refused = await pod.http.post('/v1/documents', { name: 'refused.md', text: 'Refused.' });
    expect([refused.status, refused.body.code]).toEqual([503, 'temporal_unavailable']);
    expect(await pod.documents.readFile({ tenant: 'local', subject: 'local' }, hashHex('Refused.'))).toBeUndefined();
  });

  test('a source is not deleted before its schedule can be deleted', async () => {
    const source = { address: 'https://www.example.com/page', everyS: 31_536_000, collection: 'outage' };
    const { status, body } = await pod.http.post('/v1/sources', source);
    expect(status).toBe(201);
    const remove = () => pod.http.request(`/v1/sources/${body.id}?documents=keep`, { method: 'DELETE' });
    pod.temporalCable.cut();
    expect((await remove()).status).toBe(503);
    expect((await pod.http.get(`/v1/sources/${body.id}`)).status).toBe(200);
    pod.temporalCable.plug();
    const removed = await until('the source is deleted', remove, { accept: ({ status }) => status !== 503 });
    expect(removed.status).toBe(204);
    // Temporal answers with the schedule for a moment longer.
    await untilPasses('the schedule is gone', () =>
      expect(harness.client.schedule.getHandle(sourceScheduleId(body.id)).describe()).rejects.toMatchObject({
        name: 'ScheduleNotFoundError',
      }),
    );
  });

  test('a task is refused quickly with Retry-After, and a repeat with the same key starts it once', async () => {
    const requests = harness.script(() => ({ text: ['Late.'] }));
    pod.temporalCable.cut();
    const begun = performance.now();
    const refused = await ask('temporal-away');
    expect([refused.status, refused.body.code, Number(refused.headers.get('retry-after')) > 0]).toEqual([
      503,
      'temporal_unavailable',
      true,
    ]);
    expect(performance.now() - begun).toBeLessThan(8_000);
    pod.temporalCable.plug();
    const { body } = await askUntilAccepted('temporal-away');
    expect((await finished(body.id)).body).toMatchObject({ status: 'completed', result: { text: 'Late.' } });
    expect(requests).toHaveLength(1);
    const { rows } = await harness.postgres.pool.query(
      `select count(*)::int as n from tasks where idempotency_key = 'temporal-away'`,
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  test('tasks are read, listed and followed without delay', async () => {
    harness.script([{ text: ['Here.'] }]);
    const { body } = await askUntilAccepted('read-on');
    await finished(body.id);
    pod.temporalCable.cut();
    const begun = performance.now();
    expect((await pod.http.get(`/v1/tasks/${body.id}`)).body.status).toBe('completed');
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect((await pod.http.get('/v1/tasks')).status).toBe(200);
    expect(
      (await pod.http.get(`/v1/tasks/${body.id}/events`, { accept: 'application/json' })).body.events.at(-1).type,
    ).toBe('task.completed');
    pod.temporalCable.plug();
  });

  test('a schedule is shown without its state in Temporal; changes are refused, and succeed when repeated', async () => {
    const schedule = { name: 'Prices', timing: { everyS: 3_600 }, action: { task: { input: { text: 'What?' } } } };
    const create = (key: string) => pod.http.post('/v1/schedules', schedule, { 'idempotency-key': key });
    const change = (id: string) => pod.http.json('PATCH', `/v1/schedules/${id}`, { timing: { everyS: 7_200 } });
    const { body } = await harness.http.post('/v1/schedules', schedule);
    pod.temporalCable.cut();
    const refused = [await create('schedule-away'), await change(body.id)];
    expect(refused.map((answer) => [answer.status, answer.body.code])).toEqual([
      [503, 'temporal_unavailable'],
      [503, 'temporal_unavailable'],
    ]);
    expect((await pod.http.get(`/v1/schedules/${body.id}`)).body).toMatchObject({
      state: 'unknown',
      nextRuns: [],
      timing: { everyS: 3_600 },
    });
    pod.temporalCable.plug();
    await askUntilAccepted('line-is-back');
    const created = await create('schedule-away');
    expect(created.status).toBe(201);
    expect((await change(body.id)).body).toMatchObject({ timing: { everyS: 7_200 } });
    for (const { id } of [created.body, body])
      await untilPasses('Temporal is asked in time for the state of the schedule', async () =>
        expect((await pod.http.get(`/v1/schedules/${id}`)).body.state).toBe('scheduled'),
      );
    const { schedules } = (await harness.http.get('/v1/schedules')).body;
    expect(schedules.map(({ id }: { id: string }) => id)).toEqual([created.body.id, body.id]);
  });

  test('a cancel is refused, and a repeat cancels the task', async () => {
    harness.script([{ text: ['Hm'], until: untilAborted }]);
    const { body } = await askUntilAccepted('cancel-me');
    pod.temporalCable.cut();
    const refused = await pod.http.post(`/v1/tasks/${body.id}/cancel`, {});
    expect([refused.status, refused.body.code]).toEqual([503, 'temporal_unavailable']);
    pod.temporalCable.plug();
    await harness.http.post(`/v1/tasks/${body.id}/cancel`, {});
    expect((await finished(body.id)).body.status).toBe('cancelled');
  });
});

describe('while Postgres is unavailable', () => {
  test('every path that needs it answers 503 with Retry-After, and works again afterwards', async () => {
    harness.script(() => ({ text: ['Back.'] }));
    const { body } = await askUntilAccepted('before');
    pod.postgresCable.cut();
    const answers = [
      await ask('postgres-away'),
      await pod.http.get('/v1/tasks'),
      await pod.http.get(`/v1/tasks/${body.id}`),
      await pod.http.get(`/v1/tasks/${body.id}/events`),
      await pod.http.post(`/v1/tasks/${body.id}/cancel`, {}),
      await pod.http.get('/v1/documents'),
      await pod.http.post('/v1/documents', { name: 'a.md', text: '# A' }),
    ];
    expect(
      answers.map(({ status, body: problem, headers }) => [status, problem.code, headers.get('retry-after')]),
    ).toEqual(answers.map(() => [503, 'database_unavailable', '2']));
    pod.postgresCable.plug();
    const accepted = await askUntilAccepted('postgres-away');
    expect((await finished(accepted.body.id)).body.status).toBe('completed');
    const { rows } = await harness.postgres.pool.query(
      `select count(*)::int as n from tasks where idempotency_key = 'postgres-away'`,
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  test('a follower whose connection broke gets the rest when it reconnects', async () => {
    let release = () => {};
    const blocked = new Promise<void>((resolve) => (release = resolve));
    harness.script([{ text: ['Half, ', 'whole.'], until: () => blocked }]);
    const { body } = await askUntilAccepted('follow-on');
    for await (const page of harness.events.follow(harness.scope, body.id, 0, AbortSignal.timeout(20_000)))
      if (page.some(({ type }) => type === 'text.delta')) break;
    const seen: number[] = [];
    let wasCut = false;
    const follow = async () => {
      const response = await fetch(`${pod.url}/v1/tasks/${body.id}/events`, {
        headers: seen.length ? { 'last-event-id': String(seen.at(-1)) } : {},
      });
      if (!response.ok || !response.body) return void (await response.text());
      try {
        let rest = '';
        for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
          const frames = (rest + chunk).split('\n\n');
          rest = frames.pop() ?? '';
          for (const frame of frames) for (const [, id] of frame.matchAll(/^id: (\d+)$/gm)) seen.push(Number(id));
          if (seen.length > 0 && !wasCut) pod.postgresCable.cut();
          wasCut ||= seen.length > 0;
        }
      } catch {
        // The connection broke; the loop below reconnects.
      }
    };
    const first = follow();
    await until('an event is received', () => seen.length > 0, { everyMs: 1 });
    release();
    pod.postgresCable.plug();
    await first;
    const all = (await harness.followToEnd(body.id)).map(({ seq }) => seq);
    for (let attempt = 1; seen.length < all.length && attempt <= 50; attempt++) {
      pod.postgresCable.plug();
      await follow();
    }
    expect(seen).toEqual(all);
  });
});
