import { expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { createConversationActivities, type ConversationDeps } from '../../activities/conversations.ts';
import { createActivityInterceptor } from '../../activities/interceptor.ts';

test('the erasure of a conversation of which a task is being undone is tried again, however often', async () => {
  const log = pino({ level: 'silent' });
  const environment = new MockActivityEnvironment(
    { attempt: 500, activityType: 'eraseConversation' },
    {
      interceptors: [() => ({ inbound: createActivityInterceptor(log) })],
      logger: new DefaultLogger('ERROR'),
    },
  );
  const deps = { turns: { erase: async () => false }, log } as unknown as ConversationDeps;
  const conversation = { conversationId: 'c', tenant: 'local', subject: 'local', agent: 'knowledge' };
  const erased = environment.run(() => createConversationActivities(deps).eraseConversation({ conversation }));
  await expect(erased).rejects.toMatchObject({ type: 'task_running', nonRetryable: false, nextRetryDelay: 30_000 });
});
