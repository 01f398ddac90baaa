import { TaskEvent, TaskEventPage } from '../../contract/events.ts';
import { isEnded } from '../../contract/task-status.ts';
import type { ApiDeps } from '../deps.ts';
import { addEventRoutes } from '../http/event-route.ts';
import type { Api } from '../http/fastify.ts';
import type { OpenStream } from '../http/open-stream.ts';
import { TaskParams } from '../http/responses.ts';
import { findReadableTask } from '../find-task.ts';
import { eventsForReader } from '../read-shared.ts';

type Deps = Pick<ApiDeps, 'citations' | 'control' | 'conversationRows' | 'events' | 'shares'> & {
  openStream: OpenStream;
};

export const taskEventRoutes =
  ({ citations, control, conversationRows, events, shares, openStream }: Deps) =>
  async (app: Api) =>
    addEventRoutes(app, openStream, {
      url: '/v1/tasks/:id/events',
      operationIds: { follow: 'followTask', list: 'listTaskEvents' },
      tag: 'tasks',
      of: 'a task',
      description: 'Events from any place in the task’s life. The stream ends after the event that ends the task.',
      params: TaskParams,
      event: TaskEvent,
      page: TaskEventPage,
      ended: 'The task has ended and the last event was the given one: do not reconnect',
      events,
      forReader: (reader, stored) => eventsForReader({ citations }, reader, stored),
      async find(scope, id) {
        const { row, owner } = await findReadableTask({ control, conversationRows, shares }, scope, id);
        return { id: row.id, owner, lastSeq: row.lastSeq, isEnded: isEnded(row.status) };
      },
      isStillShared: async (scope, id) => (await shares.findOwner(scope, { taskId: id })) !== undefined,
    });
