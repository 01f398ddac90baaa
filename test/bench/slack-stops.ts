import { taskWorkflowId } from '../../contract/ids.ts';
import { until } from '../support/until.ts';
import { judge, printTimes } from './measure.ts';
import type { Surroundings } from './servers.ts';
import { startSlackStack } from './slack-stack.ts';

const limitMs = 2_000;
const everyMs = 5;

/** Measures from Slack's stop button until the workflow is cancelled, and until the status in Slack is gone. */
export async function measureSlackStops({ count, ...surroundings }: { count: number } & Surroundings) {
  // The model does not begin to answer while this runs.
  const { slack, edge } = await startSlackStack(surroundings, {
    ALFRED_MODEL: 'offline:quote',
    ALFRED_OFFLINE_FIRST_TOKEN_MS: '600000',
  });
  /** The task of a thread, once its model is asked. */
  const askedTask = async (thread: string) => {
    const { rows } = await edge.postgres.pool.query<{ task_id: string }>(
      `select p.task_id from slack_posts p join task_events e on e.task_id = p.task_id
        where p.thread_ts = $1 and e.type = 'model.started'`,
      [thread],
    );
    return rows[0]?.task_id;
  };
  const cancelled: number[] = [];
  const cleared: number[] = [];
  for (let n = 0; n < count; n++) {
    const { id } = slack.addUser({ name: `person${n}` });
    const { id: channel } = slack.directMessage(id);
    const { ts } = slack.say(id, channel, 'What is it?');
    const taskId = await until('the model is asked', () => askedTask(ts));
    await until('the status', () => slack.status(channel, ts));
    const workflow = edge.client.workflow.getHandle(taskWorkflowId(taskId));
    const startedAtMs = performance.now();
    slack.stopTask(id, channel, ts);
    await Promise.all([
      until('the workflow is cancelled', async () => (await workflow.describe()).status.name === 'CANCELLED', {
        everyMs,
      }).then(() => cancelled.push(performance.now() - startedAtMs)),
      until('the status is gone', () => (slack.status(channel, ts) ?? '') === '', { everyMs }).then(() =>
        cleared.push(performance.now() - startedAtMs),
      ),
    ]);
  }
  console.log(`\n${count} answers are stopped, one after the other, while the model is asked`);
  printTimes('workflow cancelled', cancelled);
  printTimes('status cleared', cleared);
  judge(`each within ${limitMs} ms`, Math.max(...cancelled, ...cleared) < limitMs);
}
