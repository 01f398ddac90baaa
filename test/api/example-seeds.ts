import { putArtifact } from '../support/artifacts/put-artifact.ts';
import { createWebhookReceiver } from '../support/fakes/webhook-receiver.ts';
import { until } from '../support/until.ts';
import type { ApiHarness } from './api-harness.ts';
import type { AnyJson } from './checked-client.ts';
import { blockedTurn } from './open-conversation.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** A model that waits, books or pays when it is asked to, and answers with one sentence else. */
export function scriptForExamples(api: ApiHarness) {
  api.script(({ messages }) => {
    const last = messages.at(-1);
    const asked = last?.role === 'user' ? /Wait|Book|Pay/.exec(last.text)?.[0] : undefined;
    if (asked === 'Wait') return blockedTurn('Let me see').turn;
    return asked ? { calls: [{ tool: asked.toLowerCase(), arguments: {} }] } : { text: ['Within 30 days.'] };
  });
  for (const name of ['book', 'pay'])
    api.tool(
      name,
      async (_, { beforeSend }) => {
        await beforeSend();
        return { output: {}, summary: 'booked a room' };
      },
      {
        effect: 'write',
        ...(name === 'pay' ? { approvals: [{}] } : {}),
        undo: async (_, __, { beforeSend }) => {
          await beforeSend();
          return { summary: 'cancelled the room' };
        },
      },
    );
}

/** Makes what some examples need beside what the examples before them make. @returns ids by operation */
export async function seedForExamples(api: ApiHarness) {
  const receiver = await createWebhookReceiver();
  const callback = { url: `${receiver.url}/ended`, secret };
  const ask = async (text: string, more: object = {}) =>
    (await api.http.post('/v1/tasks', { input: { text }, ...more })).body.id as string;
  const upload = async (name: string, content: string, type: string) => {
    const form = new FormData();
    form.append('file', new Blob([content], { type }), name);
    form.append('callback', JSON.stringify(callback));
    const { body } = await api.http.request('/v1/documents', { method: 'POST', body: form });
    await until('the upload has ended', async () => (await api.http.get(`/v1/ingestions/${body.id}`)).body, {
      accept: (ingestion: AnyJson) => ingestion.status !== 'running',
    });
    return body.id as string;
  };
  const [withCallback, withPush, booked, running, toPay] = await Promise.all([
    ask('When?', { callback }),
    ask('When?'),
    ask('Book a room.'),
    ask('Wait.', { budget: { maxCostUsd: 0.5 } }),
    ask('Pay.'),
  ]);
  const read = await upload('read.md', '# Read', 'text/markdown');
  const refused = await upload('refused.bin', '\u0001\u0002\u0003', 'application/octet-stream');
  const contacts = '[{"email":"a@example.com"},{"email":"a@example.com","title":"Buyer"},{"email":"b@example.com"}]';
  const ingested = await api.http.post('/v1/contacts', JSON.parse(contacts));
  const ended = await until('the contacts are stored', async () => (await api.http.get('/v1/contact-merges')).body, {
    accept: ({ merges }: AnyJson) => merges.length > 0,
  });
  await until('their upload has ended', async () => {
    const { body } = await api.http.get(`/v1/contact-ingests/${ingested.body.id}`);
    return body.status === 'completed';
  });
  const { contacts: found } = (await api.http.get('/v1/contacts?q=b')).body;
  await api.taskReaches(withCallback, 'completed');
  await api.taskReaches(booked, 'completed');
  await api.taskReaches(running, 'running');
  // Its id is that of the task: an example has one id for its whole address.
  await putArtifact(api.postgres.pool, { taskId: booked, tenant: 'local', subject: 'local' }, { id: booked });
  const { waiting } = await api.taskReaches(toPay, 'waiting');
  return {
    close: () => receiver.down(),
    ids: {
      getCallback: withCallback,
      repeatCallback: withCallback,
      setPushConfig: withPush,
      getPushConfig: withPush,
      removePushConfig: withPush,
      undoTask: booked,
      listArtifacts: booked,
      readArtifact: booked,
      grantBudget: running,
      getApproval: waiting.approvals[0] as string,
      decideApproval: waiting.approvals[0] as string,
      getContact: found[0].id as string,
      deleteContact: found[0].id as string,
      undoContactMerge: ended.merges[0].id as string,
      cancelContactIngest: ingested.body.id as string,
      deleteContactIngest: ingested.body.id as string,
      getContactIngest: ingested.body.id as string,
      listRejectedContacts: ingested.body.id as string,
      retryIngestion: refused,
      getIngestionCallback: read,
      repeatIngestionCallback: read,
    } as Record<string, string>,
  };
}
