import { AlfredError } from '../../contract/errors.ts';
import { ReaderList } from '../../contract/readers.ts';
import type { ApiDeps } from '../deps.ts';
import { withTask } from '../find-task.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, ConversationParams, json, problems, TaskParams } from '../http/responses.ts';
import { noConversation } from './conversations.ts';

type Deps = Pick<ApiDeps, 'conversationRows' | 'shares'>;

/** Who may read tasks and conversations beside their owners. Only an owner sees and changes that. */
export const readerRoutes = (deps: Deps) => async (app: Api) => {
  addTaskReaders(app, deps);
  addConversationReaders(app, deps);
};

function addTaskReaders(app: Api, { conversationRows, shares }: Deps) {
  app.route({
    method: 'GET',
    url: '/v1/tasks/:id/readers',
    schema: {
      operationId: 'getTaskReaders',
      tags: ['tasks'],
      summary: 'Read with whom you share a task',
      description: 'Only its owner may. Readers of its conversation may read the task too, and are not listed here.',
      params: TaskParams,
      response: { 200: json('Its readers', ReaderList), ...problems('not_found', 'task_queued') },
    },
    handler: async ({ scope, params: { id } }, reply) => {
      const readers = await withTask(
        { conversationRows },
        { scope, id },
        () => shares.listReaders(scope, { taskId: id }),
        () => [],
      );
      return reply.send({ readers });
    },
  });

  app.route({
    method: 'PUT',
    url: '/v1/tasks/:id/readers',
    schema: {
      operationId: 'setTaskReaders',
      tags: ['tasks'],
      summary: 'Share a task, or take that back',
      description:
        'The list takes the place of the one before. A reader may see the task, its answer and its events, and change nothing. What the answer cites of documents that a reader may not read is left out. An open event stream of a reader ends within ten seconds after it may no longer read.',
      params: TaskParams,
      body: ReaderList,
      response: {
        200: json('Its readers now', ReaderList),
        ...problems('not_found', 'task_queued', 'task_ended', ...bodyProblems),
      },
    },
    handler: async ({ scope, params: { id }, body }, reply) => {
      const readers = await withTask(
        { conversationRows },
        { scope, id },
        () => shares.setReaders(scope, { taskId: id }, body.readers),
        () => {
          throw new AlfredError('task_ended', `The message of the task ${id} had no turn. Share its conversation.`);
        },
      );
      return reply.send({ readers });
    },
  });
}

function addConversationReaders(app: Api, { shares }: Deps) {
  app.route({
    method: 'GET',
    url: '/v1/conversations/:id/readers',
    schema: {
      operationId: 'getConversationReaders',
      tags: ['conversations'],
      summary: 'Read with whom you share a conversation',
      description: 'Only its owner may.',
      params: ConversationParams,
      response: { 200: json('Its readers', ReaderList), ...problems('not_found') },
    },
    handler: async ({ scope, params: { id } }, reply) => {
      const readers = await shares.listReaders(scope, { conversationId: id });
      if (!readers) throw noConversation(id);
      return reply.send({ readers });
    },
  });

  app.route({
    method: 'PUT',
    url: '/v1/conversations/:id/readers',
    schema: {
      operationId: 'setConversationReaders',
      tags: ['conversations'],
      summary: 'Share a conversation with all its tasks, or take that back',
      description:
        'The list takes the place of the one before. A reader may see all messages, answers and events, also later ones, and change nothing. What answers cite of documents that a reader may not read is left out. An open event stream of a reader ends within ten seconds after it may no longer read.',
      params: ConversationParams,
      body: ReaderList,
      response: { 200: json('Its readers now', ReaderList), ...problems('not_found', ...bodyProblems) },
    },
    handler: async ({ scope, params: { id }, body }, reply) => {
      const readers = await shares.setReaders(scope, { conversationId: id }, body.readers);
      if (!readers) throw noConversation(id);
      return reply.send({ readers });
    },
  });
}
