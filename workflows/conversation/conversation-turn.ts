import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  sleep,
  startChild,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import type { ConversationRef } from '../../contract/references.ts';
import { taskStartOptions } from '../../contract/task-start.ts';
import type { agentTaskWorkflow } from '../agent-task/workflow.ts';
import { steerSignal, type MessageDecision } from '../signals-and-updates.ts';
import { rowWrite, rowWriteInHandler, taskWait } from '../policies.ts';

const { beginTurn, endTurn } = proxyLocalActivities<Activities>(rowWrite);
const { awaitTask } = proxyActivities<Activities>(taskWait);
// Not local: local activities that run beside those of the main loop can complete in another order on replay.
const { hasTaskEnded } = proxyActivities<Activities>(rowWriteInHandler);

/** First and longest wait between two looks at the row of a task that is not a child of this run. In milliseconds. */
const pollMs = { first: 1_000, longest: 30_000 };

/** `isPolled`: timers look at its row, because it is not a child of this run. */
type RunningTask = { taskId: string; hasEnded: boolean; isCancelled: boolean; isPolled: boolean };

/** The task that answers the conversation's current message, if there is one. */
export class ConversationTurn {
  private running: RunningTask | undefined;
  private readonly conversation: ConversationRef;

  constructor(conversation: ConversationRef) {
    this.conversation = conversation;
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  get hasEnded(): boolean {
    return this.running?.hasEnded ?? false;
  }

  /** Whether the history grows although nothing happens. */
  get isPolled(): boolean {
    return this.running?.isPolled ?? false;
  }

  /** Starts a task for the next message, if one waits; or finds the task that a previous run started. */
  async begin() {
    const turn = await beginTurn({ conversation: this.conversation });
    this.show(turn?.task.taskId);
    if (!turn) return;
    const { task, head, priority, isEnding } = turn;
    this.running = { taskId: task.taskId, hasEnded: false, isCancelled: false, isPolled: false };
    try {
      const child = await startChild<typeof agentTaskWorkflow>('agentTaskWorkflow', {
        ...taskStartOptions({ ...task, head }, priority),
        // The task outlives this run of the conversation; the next run finds it by its row.
        parentClosePolicy: 'ABANDON',
      });
      this.watchEnd(child.result());
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      this.pollEnd(task.taskId);
      // A previous run of this workflow steered the task, and the signal may be lost: steer it again.
      if (!isEnding && patched('steers-a-task-found-again')) await this.steer();
    }
    if (isEnding) await this.cancel();
  }

  /** Takes over a running task that no run of the conversation waits for. */
  adopt(taskId: string) {
    this.running = { taskId, hasEnded: false, isCancelled: false, isPolled: false };
    this.pollEnd(taskId);
  }

  /** Cancels or steers the running task if the decisions on new messages say so. */
  async applyDecisions(decisions: MessageDecision[]) {
    const outcomes = decisions
      .filter(({ runningTaskId }) => runningTaskId === this.running?.taskId)
      .map(({ outcome }) => outcome);
    if (outcomes.includes('interrupted') || outcomes.includes('rolled_back')) await this.cancel();
    else if (outcomes.includes('steered')) await this.steer();
  }

  /** Cancels the running task, if it is this one. */
  async cancel(taskId = this.running?.taskId) {
    const { running } = this;
    if (!running || running.taskId !== taskId || running.isCancelled) return;
    running.isCancelled = true;
    await getExternalWorkflowHandle(taskWorkflowId(taskId)).cancel().catch(ignoreEndedTask);
  }

  /** Ends the turn of a task that has ended. If its row says that it runs again, waits for it again. */
  async end() {
    const { running } = this;
    if (!running) return;
    const { taskId } = running;
    if (await endTurn({ conversation: this.conversation, taskId })) this.running = undefined;
    else this.pollEnd(taskId);
  }

  private async steer() {
    if (this.running)
      await getExternalWorkflowHandle(taskWorkflowId(this.running.taskId)).signal(steerSignal).catch(ignoreEndedTask);
  }

  private pollEnd(taskId: string) {
    if (this.running) this.running.isPolled = true;
    this.watchEnd(rowEnd(taskId));
  }

  /** Notes when the task ends. Its outcome is in its row. */
  private watchEnd(end: Promise<unknown>) {
    const { running } = this;
    if (!running) return;
    running.hasEnded = false;
    const markEnded = () => {
      running.hasEnded = true;
    };
    end.then(markEnded, markEnded);
  }

  private show(taskId: string | undefined) {
    setCurrentDetails(taskId === undefined ? '**Nothing to do**' : `**Waits for** the task \`${taskId}\``);
  }
}

/** Resolves when the task's row shows its end. Timers wait for it: an activity would hold a worker's slot for days. */
async function rowEnd(taskId: string): Promise<void> {
  if (!patched('awaits-tasks-by-timer')) return awaitTask({ taskId });
  let waitMs = pollMs.first;
  while (!(await hasTaskEnded({ taskId }))) {
    await sleep(waitMs);
    waitMs = Math.min(2 * waitMs, pollMs.longest);
  }
}

/** A task that cannot be signalled or cancelled has ended, and the conversation is about to notice its end. */
const ignoreEndedTask = () => {};
