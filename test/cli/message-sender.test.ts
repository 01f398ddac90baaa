import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { createApiClient } from '../../cli/client/api-client.ts';
import { createMessageSender } from '../../cli/chat/message-sender.ts';
import { Conversation } from '../../contract/conversation.ts';

const id = '019ab7a0-0000-7000-8000-000000000000';
const conversation = Conversation.parse({
  id,
  agent: 'knowledge',
  title: null,
  onBusy: 'enqueue',
  metadata: {},
  archived: false,
  messages: 0,
  runningTaskId: null,
  queued: 0,
  lastSeq: 0,
  createdAt: '2026-11-01T00:00:00Z',
  updatedAt: '2026-11-01T00:00:00Z',
  links: { self: '', messages: '', events: '', temporal: '' },
});

test('a message whose response was lost is sent again with the same id, before the next one', async () => {
  const receivedIds: unknown[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { id: messageId } = JSON.parse(body) as { id: string };
    receivedIds.push(messageId);
    if (receivedIds.length === 1) return void response.destroy();
    response.end(
      JSON.stringify({
        id: messageId,
        conversationId: id,
        position: 1,
        outcome: 'started',
        taskId: id,
        runningTaskId: null,
        links: { task: '', conversation: '', events: '' },
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const notices: string[] = [];
  const sender = createMessageSender({
    api: createApiClient(async () => ({ url, foundBy: 'test' })),
    notify: (line) => notices.push(line),
    agent: undefined,
    onBusy: undefined,
    resumed: conversation,
    signal: new AbortController().signal,
  });
  await Promise.all([sender.send('m1', 'one'), sender.send('m2', 'two')]);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(receivedIds).toEqual(['m1', 'm1', 'm2']);
  expect(notices).toHaveLength(1);
});
