import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { createApiClient } from '../../cli/client/api-client.ts';
import { createMessageSender } from '../../cli/chat/message-sender.ts';
import { Conversation } from '../../contract/conversation.ts';

const id = '019ab7a0-0000-7000-8000-000000000000';
const found = Conversation.parse({
  ...{ id, agent: 'knowledge', title: null, onBusy: 'enqueue', metadata: {}, archived: false, messages: 0 },
  ...{
    runningTaskId: null,
    queued: 0,
    lastSeq: 0,
    createdAt: '2026-11-01T00:00:00Z',
    updatedAt: '2026-11-01T00:00:00Z',
  },
  links: { self: '', messages: '', events: '', temporal: '' },
});

test('a message whose answer was lost is sent again under its own name, before the next one', async () => {
  const came: unknown[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { id: messageId } = JSON.parse(body) as { id: string };
    came.push(messageId);
    if (came.length === 1) return void response.destroy();
    response.end(
      JSON.stringify({
        ...{ id: messageId, conversationId: id, position: 1, outcome: 'started', taskId: id, runningTaskId: null },
        links: { task: '', conversation: '', events: '' },
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const waits: string[] = [];
  const speaker = createMessageSender({
    api: createApiClient(async () => ({ url, foundBy: 'test' })),
    say: (line) => waits.push(line),
    ...{ agent: undefined, onBusy: undefined, found, signal: new AbortController().signal },
  });
  await Promise.all([speaker.send('m1', 'one'), speaker.send('m2', 'two')]);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(came).toEqual(['m1', 'm1', 'm2']);
  expect(waits).toHaveLength(1);
});
