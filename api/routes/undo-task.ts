import { setTimeout as sleep } from 'node:timers/promises';
import { AlfredError } from '../../contract/errors.ts';
import { Task } from '../../contract/task.ts';
import type { TaskRow } from '../../contract/ports/index.ts';
import type { Scope } from '../../contract/references.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import type { Views } from '../links.ts';
import { bodyProblems, TaskParams, json, problems } from '../http/responses.ts';
import { withTask } from '../find-task.ts';

/** How long the response is held back for the undo to end, and how often it looks, in milliseconds. */
const waitForEndMs = 2_000;
const pollMs = 100;

type Deps = Pick<ApiDeps, 'control' | 'conversationRows' | 'tasks'> & { views: Views; draining: AbortSignal };

export const undoTaskRoutes =
  ({ control, conversationRows, tasks, views, draining }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/v1/tasks/:id/undo',
      schema: {
        operationId: 'undoTask',
        tags: ['tasks'],
        summary: 'Undo what an ended task has changed',
        description:
          'Newest first. `effects` says what was undone and what could not be; an `effect.undone` event follows the end for each. The status of the task stays. Safe to repeat: what is undone stays so, and what could not be undone is tried again. A running task (`task_running`) is cancelled with `undo` instead. When it has changed nothing, or nothing of it can be undone: `nothing_to_undo`.',
        params: TaskParams,
        response: {
          200: json('The undo has ended', Task),
          202: json('The undo is under way: some effects are `undoing`', Task),
          ...problems('not_found', 'task_running', 'task_queued', 'nothing_to_undo', ...bodyProblems),
        },
      },
      handler: async ({ scope, params }, reply) => {
        const row = await withTask(
          { conversationRows },
          { scope, id: params.id },
          () => control.tasks.undo(scope, params.id),
          ({ id }) => {
            throw new AlfredError('nothing_to_undo', `The task ${id} never began, so it has changed nothing.`);
          },
        );
        const current = await waitForUndo(scope, row);
        return reply.code(isUndoing(current) ? 202 : 200).send(views.task(current));
      },
    });

    async function waitForUndo(scope: Scope, row: TaskRow): Promise<TaskRow> {
      const stop = linkAbort([draining], { timeoutMs: waitForEndMs });
      let current = row;
      while (isUndoing(current) && !stop.signal.aborted) {
        await sleep(pollMs);
        current = (await tasks.get(scope, row.id)) ?? row;
      }
      stop.release();
      return current;
    }
  };

const isUndoing = ({ effects }: TaskRow) => effects.some(({ state }) => state === 'undoing');
