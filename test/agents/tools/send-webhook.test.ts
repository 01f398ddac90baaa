import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createOutbound } from '../../../adapters/outbound/outbound.ts';
import { createWebhooks } from '../../../adapters/outbound/webhooks.ts';
import { sendWebhookTool } from '../../../agents/tools/acting/send-webhook.ts';
import type { JsonValue } from '../../../contract/json.ts';
import { local } from '../../support/documents/put-document.ts';
import { createWebhookReceiver, verifySignature, type WebhookReceiver } from '../../support/fakes/webhook-receiver.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await createWebhookReceiver();
});
afterAll(() => receiver.down());
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answerWithStatus(204);
});

const toolWith = (hosts: string[] = [], allow = ['127.0.0.1']) =>
  sendWebhookTool(createWebhooks(createOutbound({ allow, timeoutMs: 2_000 })), { secret, hosts });
const run = (input: Partial<Record<'url' | 'type' | 'data', JsonValue>> = {}, receiptKey = 'task/1/call-1') => {
  const moments: string[] = [];
  const beforeSend = async () => void moments.push(`sends, ${receiver.received.length} received`);
  const signal = AbortSignal.timeout(10_000);
  const call = { url: `${receiver.url}/hooks?token=t`, type: 'order.approved', data: { order: 7 }, ...input };
  const done = toolWith().run(call, { scope: local, taskId: 'task', receiptKey, signal, beforeSend });
  return { done, moments };
};

test('an event is posted with a signature that the receiver’s library accepts', async () => {
  receiver.answerWithStatus(201, {}, 'thank you');
  const { done, moments } = run();
  expect(await done).toEqual({
    output: { status: 201, answer: 'thank you' },
    summary: `order.approved sent to 127.0.0.1:${receiver.port}, which answered 201`,
  });
  expect(moments).toEqual(['sends, 0 received']);
  const [request] = receiver.received;
  if (!request) throw new Error('nothing was received');
  expect(request).toMatchObject({
    method: 'POST',
    path: '/hooks?token=t',
    headers: { 'content-type': 'application/json' },
  });
  expect(verifySignature(secret, request)).toEqual({
    type: 'order.approved',
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    data: { order: 7 },
  });
  expect(() => verifySignature(`whsec_${Buffer.alloc(32, 8).toString('base64')}`, request)).toThrow(
    'No matching signature',
  );
});

test('every attempt at a call has the same webhook-id, which does not contain the task’s id', async () => {
  for (const key of ['task/1/call-1', 'task/1/call-1', 'task/1/call-2']) await run({}, key).done;
  const [first, second, third] = receiver.received.map(({ headers }) => headers['webhook-id']);
  expect(second).toBe(first);
  expect(third).not.toBe(first);
  expect(first).toMatch(/^msg_[\w-]{32}$/);
  expect(toolWith()).toMatchObject({ effect: 'write', repeatable: true });
});

test('a temporary refusal is retryable after the time that the receiver names', async () => {
  // Of a 408 and a 5xx it is not known whether the receiver, or a proxy before it, took the request.
  for (const [status, code] of [
    [408, 'effect_unknown'],
    [429, 'tool_failed'],
    [500, 'effect_unknown'],
    [503, 'effect_unknown'],
  ] as const) {
    receiver.answerWithStatus(status, { 'retry-after': '7' }, 'do not repeat this');
    await expect(run().done).rejects.toMatchObject({
      code,
      retryAfterMs: 7_000,
      message: expect.stringContaining(`127.0.0.1:${receiver.port} answered ${status}`),
    });
  }
});

test('a permanent refusal is reported to the model with its reason', async () => {
  receiver.answerWithStatus(422, {}, 'order 7 is closed');
  await expect(run().done).rejects.toMatchObject({
    code: 'destination_refused',
    message: expect.stringContaining('answered 422 and did not take it. It says: order 7 is closed'),
  });
  receiver.answerWithStatus(302, { location: 'http://elsewhere.example' });
  await expect(run().done).rejects.toMatchObject({
    code: 'destination_refused',
    message: expect.stringContaining('redirects are not followed'),
  });
  expect(receiver.received).toHaveLength(2);
});

test('a request without a response has an unknown outcome', async () => {
  receiver.answerWith((response) => response.destroy());
  const { done, moments } = run();
  await expect(done).rejects.toMatchObject({ code: 'effect_unknown' });
  expect(moments).toHaveLength(1);
});

test('an invalid call is refused before a person is asked to approve it', () => {
  const tool = toolWith(['hooks.example.com']);
  const call = { url: 'https://hooks.example.com/x', type: 'a.b', data: {} };
  const code = (input: JsonValue) => {
    try {
      tool.check?.(input);
      return 'fits';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  expect(code(call)).toBe('fits');
  expect(code({ ...call, url: 'https://HOOKS.example.com:8443/x' })).toBe('fits');
  expect(code({ ...call, url: 'https://hooks.example.com.evil.example/x' })).toBe('destination_forbidden');
  expect(code({ ...call, url: 'file:///etc/passwd' })).toBe('invalid_request');
  expect(code({ ...call, type: 'a b' })).toBe('invalid_request');
  expect(code({ ...call, data: 'text' })).toBe('invalid_request');
  expect(code({ ...call, more: 1 })).toBe('invalid_request');
});
