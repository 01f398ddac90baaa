import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import type { Approval, ApprovalList } from '../../contract/approval.ts';
import type { Conversation, ConversationMessage } from '../../contract/conversation.ts';
import type { Task } from '../../contract/task.ts';
import { dataFolders, json, killLocal, startLocal, stopLocal } from './local-stack.ts';
import { until } from '../support/until.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const folders = dataFolders();
/** Ids and bodies of the received webhooks, with verified signatures. */
const received: { id: string; body: { type: string } }[] = [];
const receiver = createServer((request, response) => {
  let text = '';
  request.on('data', (data: Buffer) => (text += data.toString()));
  request.on('end', () => {
    const headers = request.headers as Record<string, string>;
    const body = new Webhook(secret).verify(text, headers) as { type: string };
    received.push({ id: headers['webhook-id'] ?? '', body });
    response.end();
  });
});
beforeAll(async () => void (await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))));
afterAll(async () => {
  receiver.close();
  await folders.removeAll();
});

const minute = { withinMs: 60_000 };
/** The pending approval in a list of one, or false while there is none or more than one. */
async function pendingApprovals(api: string) {
  const { approvals } = await json<ApprovalList>(`${api}/v1/approvals?mine=true`);
  return approvals.length === 1 && approvals;
}

test('an approval and a queued message survive kill -9 of everything; the approved call runs once', async () => {
  const dir = await folders.make();
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const script = join(dir, 'script.json');
  const call = { tool: 'send_webhook', arguments: { url, type: 'order.placed', data: { pieces: 3 } } };
  await writeFile(script, JSON.stringify({ turns: [{ calls: [call] }, { text: 'It is ordered.' }] }));
  const env = {
    ALFRED_API_PORT: '',
    ALFRED_MODEL: 'scripted:order',
    ALFRED_SCRIPT_FILE: script,
    ALFRED_WEBHOOK_SECRET: secret,
    ALFRED_OUTBOUND_ALLOW: '127.0.0.1/32',
  };

  const first = startLocal(dir, { env });
  await first.waitForOutput('/docs');
  const api = first.run().apiUrl;
  const conversation = await json<Conversation>(`${api}/v1/conversations`, {
    agent: 'assistant',
    callback: { url, secret },
  });
  const messagesPath = `/v1/conversations/${conversation.id}/messages`;
  const send = (id: string) => json(`${api}${messagesPath}`, { id, text: `Order, please (${id}).` });
  await send('m1');
  await send('m2');
  const [approval] = await until('one call waits for an approval', () => pendingApprovals(api), minute);
  await killLocal(first);
  expect(received).toEqual([]);

  const second = startLocal(dir, { env });
  await second.waitForOutput('/docs');
  const again = second.run().apiUrl;
  const approve = async (pending: Approval | undefined) => {
    const decision = { decision: 'approve', argumentsHash: pending?.argumentsHash };
    // A busy machine may answer 503. Repeating the same decision is safe.
    const { taskId, status } = await until(
      'the decision is taken',
      () =>
        json<Approval>(`${again}/v1/approvals/${pending?.id}`, decision).catch((error: Error) => {
          if (error.message.startsWith('503')) return undefined;
          throw error;
        }),
      minute,
    );
    expect(status).toBe('approved');
    const task = await json<Task>(`${again}/v1/tasks/${taskId}`, undefined, { prefer: 'wait=60' });
    expect(task).toMatchObject({ status: 'completed', effects: [{ tool: 'send_webhook', state: 'done' }] });
    return task;
  };
  await approve(approval);
  // The second message waited for its turn, and its call needs an approval of its own.
  const [other] = await until('one call waits for an approval', () => pendingApprovals(again), minute);
  await approve(other);
  await until('four posts are received', () => received.length >= 4, minute);
  const types = received.map(({ body }) => body.type).toSorted();
  expect(types).toEqual(['order.placed', 'order.placed', 'task.completed', 'task.completed']);
  expect(new Set(received.map(({ id }) => id)).size).toBe(4);
  // A task ends a moment before its message is marked as done.
  const messages = await until(
    'no message runs',
    async () => (await json<{ messages: ConversationMessage[] }>(`${again}${messagesPath}`)).messages,
    { ...minute, accept: (all) => all.every(({ state }) => state !== 'running') },
  );
  expect(messages.map(({ id, role, state }) => (role === 'user' ? `${id} ${state}` : role))).toEqual([
    'm1 done',
    'assistant',
    'm2 done',
    'assistant',
  ]);
  expect(second.output()).not.toContain(secret);
  expect((await stopLocal(second)).code).toBe(0);
});
