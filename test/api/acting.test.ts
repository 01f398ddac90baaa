import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createActingTools } from '../../agents/tools/index.ts';
import type { JsonValue } from '../../contract/json.ts';
import { createFakeSmtp } from '../support/fakes/fake-smtp.ts';
import { historyText } from '../support/tasks/history-text.ts';
import {
  createWebhookReceiver,
  verifySignature,
  type ReceivedRequest,
  type WebhookReceiver,
} from '../support/fakes/webhook-receiver.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
let api: ApiHarness;
let receiver: WebhookReceiver;
let smtp: Awaited<ReturnType<typeof createFakeSmtp>>;
beforeAll(async () => {
  receiver = await createWebhookReceiver();
  smtp = await createFakeSmtp();
  api = await createApiHarness({
    ALFRED_AGENTS: JSON.stringify({ knowledge: { approvals: [{ tool: '*' }] } }),
    ALFRED_OUTBOUND_ALLOW: '127.0.0.1',
    ALFRED_WEBHOOK_SECRET: secret,
    ALFRED_SMTP_URL: smtp.url,
    ALFRED_MAIL_FROM: 'alfred@example.com',
    ALFRED_MAIL_DOMAINS: 'example.com',
  });
  for (const tool of createActingTools(api.config, api))
    api.tool(tool.name, (input, context) => tool.run(input, context), tool);
});
afterAll(async () => {
  await api?.close();
  await smtp?.close();
  await receiver?.down();
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answerWithStatus(204);
  smtp.mails.length = 0;
  smtp.failWith(undefined);
});

/** Starts a task that makes one tool call. `read` returns the result that the model reads. */
async function ask(tool: string, input: JsonValue) {
  const requests = api.script([{ calls: [{ tool, arguments: input }] }, { text: ['Done.'] }]);
  const { body } = await api.http.post('/v1/tasks', { input: { text: 'Do it.' } });
  const read = () => {
    const last = requests[1]?.messages.at(-1);
    return last?.role === 'tool' ? last.results[0] : undefined;
  };
  return { id: body.id as string, read };
}
/** Approves the task's call and waits for the end of the task. @returns the task */
async function approve(id: string) {
  const { waiting } = await api.taskReaches(id, 'waiting');
  expect({ received: receiver.received, mails: smtp.mails }).toEqual({ received: [], mails: [] });
  expect((await api.http.post(`/v1/approvals/${waiting.approvals[0]}`, { decision: 'approve' })).status).toBe(200);
  return api.taskReaches(id, 'completed');
}
const hook = () => ({ url: `${receiver.url}/hook?token=query-secret`, type: 'order.approved', data: { order: 7 } });
const mail = { to: ['anna@example.com'], subject: 'Your expenses', text: 'They are approved.' };

test('a webhook and an email are sent once a person has approved them', async () => {
  const webhook = await ask('send_webhook', hook());
  const sent = await approve(webhook.id);
  expect(receiver.received).toHaveLength(1);
  expect(verifySignature(secret, receiver.received[0] as ReceivedRequest)).toMatchObject({ data: { order: 7 } });
  expect(sent.effects).toMatchObject([{ tool: 'send_webhook', state: 'done' }]);
  expect(webhook.read()).toMatchObject({ isError: false, output: { status: 204 } });

  receiver.received.length = 0;
  const email = await ask('send_email', mail);
  expect((await approve(email.id)).effects).toMatchObject([
    { tool: 'send_email', state: 'done', summary: 'email sent to anna@example.com' },
  ]);
  expect(smtp.mails).toHaveLength(1);
});

test('no approval is requested for an email that may not be sent', async () => {
  const { id, read } = await ask('send_email', { ...mail, to: ['eve@example.org'] });
  await api.taskReaches(id, 'completed');
  expect(read()).toMatchObject({ isError: true });
  const events = await api.events.read(api.scope, id, 0, 500);
  expect(events.filter(({ type }) => type === 'approval.requested')).toEqual([]);
  expect(smtp.messagesSeen()).toBe(0);
});

test('a webhook without an answer is sent again, with the same webhook-id', async () => {
  receiver.answerWith((response) => {
    receiver.answerWithStatus(204);
    response.destroy();
  });
  const { id } = await ask('send_webhook', hook());
  expect((await approve(id)).effects).toMatchObject([{ state: 'done' }]);
  const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
  expect(ids).toEqual([ids[0], ids[0]]);
});

test('an email whose outcome is unknown is not sent again, and the model reads so', async () => {
  smtp.failWith('cut after the message');
  const { id, read } = await ask('send_email', mail);
  expect((await approve(id)).effects).toMatchObject([{ tool: 'send_email', state: 'unknown' }]);
  expect(read()).toMatchObject({
    isError: true,
    output: { error: expect.stringContaining('may or may not have taken effect') },
  });
  expect(smtp.messagesSeen()).toBe(1);
});

test('an email that the server refuses has failed, and the model reads why', async () => {
  smtp.failWith({ message: 554 });
  const { id, read } = await ask('send_email', mail);
  expect((await approve(id)).effects).toMatchObject([{ tool: 'send_email', state: 'failed' }]);
  expect(read()).toMatchObject({ isError: true, output: { error: expect.stringMatching(/refused it: 554/) } });
});

test.each([
  [504, 'unknown', 'may or may not have taken'],
  [408, 'unknown', 'may or may not have taken'],
  [429, 'failed', 'answered 429'],
])('a webhook that is always answered with %i is %s, and the model reads why', async (status, state, words) => {
  receiver.answerWithStatus(status);
  const { id, read } = await ask('send_webhook', hook());
  expect((await approve(id)).effects).toMatchObject([{ tool: 'send_webhook', state }]);
  expect(read()).toMatchObject({ isError: true, output: { error: expect.stringContaining(words) } });
  expect(receiver.received).toHaveLength(5);
});

test('a webhook that is refused after an attempt without a clear answer may have taken effect', async () => {
  receiver.answerWith((response) => {
    receiver.answerWithStatus(409);
    response.writeHead(502).end();
  });
  const { id, read } = await ask('send_webhook', hook());
  expect((await approve(id)).effects).toMatchObject([{ tool: 'send_webhook', state: 'unknown' }]);
  expect(read()).toMatchObject({ output: { error: expect.stringContaining('may have taken effect') } });
});

test('history contains neither the address nor the content of a webhook', async () => {
  const { id } = await ask('send_webhook', hook());
  await approve(id);
  const payloads = await historyText(api.client, `task/${id}`);
  expect(payloads.includes('send_webhook')).toBe(true);
  expect(/query-secret|order\.approved|whsec_/.test(payloads)).toBe(false);
});
