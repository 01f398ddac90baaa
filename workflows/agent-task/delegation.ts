import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowFailure,
  executeChild,
  getExternalWorkflowHandle,
  patched,
  proxyActivities,
  proxyLocalActivities,
  sleep,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import type { ContentHash, MessageHead, TaskRef, ToolResultRef, WaitReason } from '../../contract/references.ts';
import { taskStartOptions } from '../../contract/task-start.ts';
import { isOwnCancellation } from '../cancellation.ts';
import { waitReasonOf } from '../failure.ts';
import { answerOfChild, delegatedTask, rowWrite } from '../policies.ts';
import { steerSignal } from '../signals-and-updates.ts';

const { prepareDelegation, endBelow } = proxyLocalActivities<Activities>(rowWrite);
const { collectDelegation } = proxyActivities<Activities>(answerOfChild);

/** First and longest wait between two looks at a child that this run has not started. In milliseconds. */
const pollMs = { first: 1_000, longest: 10 * 60_000 };
/** The same while tasks below are ending. One whose agent no worker serves may take days. */
const endingMs = { first: 500, longest: 60 * 60_000 };

type Prepare = Parameters<Activities['prepareDelegation']>[0];
export type DelegateCall = Omit<Prepare, 'among'>;
/** The argument of the workflow of a child, which is the parent's own and so not imported here. */
type Child = TaskRef & { head: MessageHead };
type Prepared = Awaited<ReturnType<Activities['prepareDelegation']>>;

/** The delegate calls of a step, stored; `wait` is why some of them could not be. */
export type Delegations = { prepared: Map<string, Prepared>; wait: WaitReason | undefined };

export const noDelegations: Delegations = { prepared: new Map(), wait: undefined };

/**
 * Stores the children of a step, one after the other: they part the budget, and local activities beside each other can
 * complete in another order on replay.
 */
export async function prepareDelegations(calls: DelegateCall[]): Promise<Delegations> {
  const delegations: Delegations = { prepared: new Map(), wait: undefined };
  for (const made of calls) {
    try {
      // Not cancellable: only a child that is known to be stored can be ended afterwards.
      const prepared = await CancellationScope.nonCancellable(() =>
        prepareDelegation({ ...made, among: calls.length }),
      );
      delegations.prepared.set(made.call.callId, prepared);
    } catch (error) {
      const wait = waitReasonOf(error);
      if (!wait) throw error;
      // The children that are stored run first: they may give back what this one needs.
      delegations.wait = wait;
      break;
    }
  }
  return delegations;
}

/** Whether a child was stored that runs now. */
export const hasNewChild = (prepared: Delegations['prepared']): boolean =>
  [...prepared.values()].some((delegation) => 'child' in delegation);

/**
 * Runs the child of a delegate call to its end.
 *
 * @param running has the child while it runs
 * @returns its answer, or why there is none, as the call's result
 */
export async function runDelegation(
  made: DelegateCall,
  prepared: Prepared,
  running: Set<string>,
): Promise<ToolResultRef> {
  if ('result' in prepared) return prepared.result;
  const { child, hasEnded } = prepared;
  let isForeign = false;
  running.add(child.taskId);
  try {
    if (!hasEnded) isForeign = (await runChild(prepared)) === 'foreign';
    return await collect({ ...made, child });
  } catch (error) {
    if (!isOwnCancellation(error)) throw error;
    // Stored all the same: the parent may have reached the end of its time only, and go on with a grant.
    await CancellationScope.nonCancellable(async () => {
      if (isForeign) await cancelForeignChild(child.taskId);
      await collect({ ...made, child, isCancelled: true });
    });
    throw error;
  } finally {
    running.delete(child.taskId);
  }
}

/**
 * Tells children that a message of the person waits for them. Each takes it at its next step, and tells its own
 * children. One that has not begun finds it when it begins.
 */
export function steerChildren(running: Set<string>) {
  if (running.size === 0 || !patched('steering-reaches-children')) return;
  for (const taskId of running)
    getExternalWorkflowHandle(taskWorkflowId(taskId))
      .signal(steerSignal)
      .catch(() => {});
}

/** Ends what the task has delegated, also what another run has started, and waits for the ends. */
export async function endDelegated(task: TaskRef): Promise<void> {
  let waitMs = endingMs.first;
  while ((await endBelow({ task })) > 0) {
    await sleep(waitMs);
    waitMs = Math.min(2 * waitMs, endingMs.longest);
  }
}

/**
 * How the child ends stands in its row.
 *
 * @returns `foreign` when a run before a reset, or the sweep after a loss of Temporal, has started it
 */
async function runChild({ child, priority }: Extract<Prepared, { child: unknown }>): Promise<'own' | 'foreign'> {
  try {
    await executeChild<(task: Child) => Promise<ContentHash>>('agentTaskWorkflow', {
      ...taskStartOptions(child, priority),
      ...delegatedTask,
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'foreign';
    if (!(error instanceof ChildWorkflowFailure) || isOwnCancellation(error)) throw error;
  }
  return 'own';
}

type Collect = Parameters<Activities['collectDelegation']>[0];

async function collect(made: Collect): Promise<ToolResultRef> {
  let waitMs = pollMs.first;
  while (true) {
    const result = await collectDelegation(made);
    if (result) return result;
    // Not by an activity that waits: after a loss of Temporal many parents would hold all places of their workers.
    await sleep(waitMs);
    waitMs = Math.min(2 * waitMs, pollMs.longest);
  }
}

/** A child of this run is cancelled with it; one that an earlier run has started is not. */
async function cancelForeignChild(taskId: string): Promise<void> {
  await getExternalWorkflowHandle(taskWorkflowId(taskId))
    .cancel()
    .catch(() => {});
}
