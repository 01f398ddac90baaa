import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { temporal } from '@temporalio/proto';
import { taskWorkflowId } from '../../contract/ids.ts';
import { delegationLimits } from '../../contract/rules/delegation-limits.ts';
import { createDelegationHarness, delegate, type DelegationHarness } from '../support/tasks/delegation-harness.ts';

/** The children of one task. ALFRED_TEST_CHILDREN=1000 tries more than the limit of a request allows. */
const count = Number(process.env.ALFRED_TEST_CHILDREN || 40);
const steps = Math.ceil(count / delegationLimits.open);
/** The most events of a run: a task goes on in a new run at the first step after 1,500. */
const mostEvents = 1_500 + 30 * delegationLimits.open;

const { total } = delegationLimits;
let harness: DelegationHarness;
beforeAll(async () => {
  delegationLimits.total = Math.max(total, count);
  harness = await createDelegationHarness({ maxSteps: steps + 1 });
}, 120_000);
afterAll(async () => {
  delegationLimits.total = total;
  await harness?.close();
});

async function sizeOf(workflowId: string, runId: string) {
  const history = await harness.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const events = history.events ?? [];
  return {
    events: events.length,
    bytes: temporal.api.history.v1.History.encode(history).finish().length,
    next: events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined,
  };
}

test(
  `the history of a task stays small with ${count} children`,
  async () => {
    const calls = Array.from({ length: count }, (_, n) => delegate(n % 2 === 0 ? 'left' : 'right', `Part ${n}`));
    const stepOf = (n: number) => calls.slice(n * delegationLimits.open, (n + 1) * delegationLimits.open);
    const answers = () => Array.from({ length: count }, () => ({ text: ['Done.'] }));
    harness.play({
      boss: [...Array.from({ length: steps }, (_, n) => ({ calls: stepOf(n) })), { text: ['All done.'] }],
      left: answers(),
      right: answers(),
    });
    const { id, handle } = await harness.start();
    const { runId: first } = await handle.describe();
    await handle.result();
    expect(await harness.row(id)).toMatchObject({ status: 'completed', result: { text: 'All done.' } });

    const sizes: { events: number; bytes: number }[] = [];
    let runId: string | undefined = first;
    while (runId !== undefined) {
      const size = await sizeOf(taskWorkflowId(id), runId);
      sizes.push(size);
      runId = size.next;
    }
    const sum = (of: 'events' | 'bytes') => Math.round(sizes.reduce((all, size) => all + size[of], 0) / count);
    console.log(`${count} children: ${sizes.length} runs, ${sum('events')} events and ${sum('bytes')} bytes a child`);
    expect(Math.max(...sizes.map(({ events }) => events))).toBeLessThan(mostEvents);
    expect(sum('events')).toBeLessThan(20);
    expect(sum('bytes')).toBeLessThan(6_000);
  },
  30_000 + count * 3_000,
);
