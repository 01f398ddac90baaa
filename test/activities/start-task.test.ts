import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createTaskActivities, type TaskDeps } from '../../activities/tasks.ts';
import type { Agent } from '../../agents/index.ts';
import { mayUseAgent } from '../../contract/rules/agent-rights.ts';
import type { TaskRef } from '../../contract/references.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { createLedgerHarness, local, type LedgerHarness } from '../support/ledger/ledger-harness.ts';

let harness: LedgerHarness;
beforeAll(async () => {
  harness = await createLedgerHarness();
});
afterAll(() => harness?.close());

test('an agent that is kept for a role starts no task of others, and a task that has begun goes on in its next run', async () => {
  let keptFor: string[] | undefined = ['accounting'];
  const activities = createTaskActivities({
    tasks: harness.tasks,
    agents: { knowledge: { tools: [], maxSteps: 5 } as unknown as Agent },
    modelsOf: () => ['scripted:x'],
    tenants: { find: async () => ({ agents: new Map() }) },
    agentInTenant: () => ({
      version: null,
      isForAll: keptFor === undefined,
      mayBeUsedWith: (roles: readonly string[]) => mayUseAgent(roles, keptFor),
    }),
    maxOutputTokens: 100,
    metrics: createMetrics(),
  } as unknown as TaskDeps);
  const start = (task: TaskRef, runId: string) =>
    new MockActivityEnvironment({ workflowExecution: { workflowId: 'w', runId } }).run(() =>
      activities.startTask({ task }),
    );
  const newTask = async (): Promise<TaskRef> => {
    const { id } = await harness.tasks.create(local, { agent: 'knowledge', input: { text: 'Why?' } }, {});
    return { ...local, taskId: id, agent: 'knowledge' };
  };
  const task = await newTask();
  await expect(start(task, 'run-1')).rejects.toMatchObject({ code: 'unknown_agent' });
  // It has ended without having begun: a reset begins it no more than before.
  await harness.tasks.close(task, { runId: 'run-1' }, { status: 'failed', code: 'unknown_agent', message: 'x' });
  await expect(start(task, 'run-2')).rejects.toMatchObject({ code: 'unknown_agent' });

  const other = await newTask();
  keptFor = undefined;
  await start(other, 'run-1');
  keptFor = ['accounting'];
  expect(await start(other, 'run-2')).toMatchObject({ model: 'scripted:x' });
  expect(await harness.tasks.get(local, other.taskId)).toMatchObject({ status: 'running' });
});
