import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskPushNotificationConfig } from '@a2a-js/sdk';
import { TaskNotFoundError, UnsupportedOperationError } from '@a2a-js/sdk/errors';
import type { A2ARequestHandler } from '@a2a-js/sdk/server';
import type { PushConfigView } from '../../contract/callback.ts';
import { pathTo } from '../http/inner-requests.ts';
import type { ApiRequests } from './api-requests.ts';

/** The pauses in which a message's turn is waited for, in milliseconds. */
const pausesMs = [50, 100, 200, 400, 800, 1_600, 3_200];

type Methods = Pick<
  A2ARequestHandler,
  | 'createTaskPushNotificationConfig'
  | 'getTaskPushNotificationConfig'
  | 'listTaskPushNotificationConfigs'
  | 'deleteTaskPushNotificationConfig'
>;

/** Where the end of a task is reported: one config a task, which is its callback in the form of A2A. */
export function createPushConfigs(inner: ApiRequests): Methods & {
  /** For the task of a message, whose turn may be about to begin. @throws A2AError when others are before it */
  createForMessage(config: TaskPushNotificationConfig): Promise<void>;
} {
  const urlOf = (taskId: string) => pathTo`/v1/tasks/${taskId}/push-config`;

  async function create(given: TaskPushNotificationConfig): Promise<TaskPushNotificationConfig> {
    const { taskId, url, token, authentication } = given;
    // A repeat without a name names the same config.
    const id = given.id || taskId;
    const body = {
      id,
      url,
      ...(token ? { token } : {}),
      ...(authentication?.scheme ? { authentication } : {}),
    };
    await inner.json({ method: 'PUT', url: urlOf(taskId), body });
    return { ...given, id };
  }

  const find = async (taskId: string) =>
    toConfig(taskId, await inner.json<PushConfigView>({ method: 'GET', url: urlOf(taskId) }));

  async function findNamed({ taskId, id }: { taskId: string; id: string }) {
    const config = await find(taskId);
    if (config.id !== id) throw new TaskNotFoundError(`The task ${taskId} has no push config "${id}".`);
    return config;
  }

  return {
    createTaskPushNotificationConfig: create,
    getTaskPushNotificationConfig: findNamed,

    async listTaskPushNotificationConfigs({ taskId }) {
      await inner.json({ method: 'GET', url: pathTo`/v1/tasks/${taskId}` });
      const configs = await find(taskId).then(
        (config) => [config],
        (error: unknown) => {
          if (error instanceof TaskNotFoundError) return [];
          throw error;
        },
      );
      return { configs, nextPageToken: '' };
    },

    async deleteTaskPushNotificationConfig(asked) {
      await findNamed(asked);
      await inner.json({ method: 'DELETE', url: urlOf(asked.taskId) });
    },

    async createForMessage(config) {
      for (const pauseMs of pausesMs)
        try {
          await create(config);
          return;
        } catch (error) {
          // The task has no row yet.
          if (!(error instanceof UnsupportedOperationError)) throw error;
          await sleep(pauseMs);
        }
      await create(config);
    },
  };
}

const toConfig = (taskId: string, { id, url }: PushConfigView): TaskPushNotificationConfig => ({
  tenant: '',
  id,
  taskId,
  url,
  token: '',
  authentication: undefined,
});
