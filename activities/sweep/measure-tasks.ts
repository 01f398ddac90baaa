import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Tasks, WorkflowSurvey } from '../../contract/ports/index.ts';

export type MeasureDeps = {
  tasks: Pick<Tasks, 'countOpen' | 'recordUnserved'>;
  survey: Pick<WorkflowSurvey, 'isServed'>;
  metrics: Pick<Metrics, 'openTasks'>;
  log: Logger;
};

/** A worker takes a new task within milliseconds; one that has waited for so long may have no worker. */
const unservedAfterMs = 15_000;

/** Counts open tasks, and finds the agents whose queued tasks no worker will take. @returns those agents */
export async function measureTasks(
  { tasks, survey, metrics, log }: MeasureDeps,
  signal: AbortSignal,
): Promise<string[]> {
  // What cannot be found out about one agent stops no other, and it is not called unserved.
  const isServed = (agent: string) =>
    survey.isServed(agent, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      log.warn({ err: error, agent }, 'it could not be looked at whether a worker serves an agent');
      return true;
    });
  const counts = await tasks.countOpen();
  const unserved: string[] = [];
  for (const { agent, status, tasks: queued, oldest } of counts) {
    const waitsMs = Date.now() - oldest.getTime();
    if (status !== 'queued' || waitsMs < unservedAfterMs || (await isServed(agent))) continue;
    unserved.push(agent);
    log.warn(
      { agent, queued, oldestS: Math.round(waitsMs / 1_000) },
      'tasks wait, and no worker serves the queue of their agent',
    );
  }
  await tasks.recordUnserved(unserved);
  metrics.openTasks.report({ counts, unserved });
  return unserved;
}
