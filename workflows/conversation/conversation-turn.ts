import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  startChild,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import type { ConversationRef } from '../../contract/references.ts';
import { taskStartOptions } from '../../contract/task-start.ts';
import type { agentTaskWorkflow } from '../agent-task/workflow.ts';
import { steerSignal, type MessageDecision } from '../messages.ts';
import { taskWait, rowWrite } from '../policies.ts';

const { beginTurn, endTurn } = proxyLocalActivities<Activities>(rowWrite);
const { awaitTask } = proxyActivities<Activities>(taskWait);

/** The task that answers now, if one does. */
export class ConversationTurn {
  private running: { taskId: string; hasEnded: boolean; isCancelled: boolean } | undefined;
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

  /** Gives the next message its turn, when one waits. */
  async begin() {
    const begun = await beginTurn({ conversation: this.conversation });
    this.show(begun?.task.taskId);
    if (!begun) return;
    const { task, head, priority, isEnding } = begun;
    this.running = { taskId: task.taskId, hasEnded: false, isCancelled: false };
    try {
      const child = await startChild<typeof agentTaskWorkflow>('agentTaskWorkflow', {
        ...taskStartOptions({ ...task, head }, priority),
        // It outlives a run of the conversation: the next one finds it by its row.
        parentClosePolicy: 'ABANDON',
      });
      this.endsWith(child.result());
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      this.endsWith(awaitTask({ taskId: task.taskId }));
      // Whoever was told before that it is given to the task was told by another run.
      if (!isEnding && patched('steers-a-task-found-again')) await this.steer();
    }
    if (isEnding) await this.cancel();
  }

  /** A task that runs although no run of the conversation waits for it. */
  adopt(taskId: string) {
    this.running = { taskId, hasEnded: false, isCancelled: false };
    this.endsWith(awaitTask({ taskId }));
  }

  /** What the messages that have just come ask of the running task. */
  async react(decided: MessageDecision[]) {
    const meant = decided.filter(({ runningTaskId }) => runningTaskId === this.running?.taskId);
    const outcomes = meant.map(({ outcome }) => outcome);
    if (outcomes.includes('interrupted') || outcomes.includes('rolled_back')) await this.cancel();
    else if (outcomes.includes('steered')) await this.steer();
  }

  /** @param taskId nothing happens to another one */
  async cancel(taskId = this.running?.taskId) {
    const { running } = this;
    if (!running || running.taskId !== taskId || running.isCancelled) return;
    running.isCancelled = true;
    await getExternalWorkflowHandle(taskWorkflowId(taskId)).cancel().catch(endedBefore);
  }

  /** Wraps up a task that has ended. One that goes on after all is waited for again. */
  async end() {
    const { running } = this;
    if (!running) return;
    const { taskId } = running;
    if (await endTurn({ conversation: this.conversation, taskId })) this.running = undefined;
    else this.endsWith(awaitTask({ taskId }));
  }

  private async steer() {
    if (this.running)
      await getExternalWorkflowHandle(taskWorkflowId(this.running.taskId)).signal(steerSignal).catch(endedBefore);
  }

  /** How it ended stands in its row. */
  private endsWith(end: Promise<unknown>) {
    const { running } = this;
    if (!running) return;
    running.hasEnded = false;
    const ended = () => void (running.hasEnded = true);
    end.then(ended, ended);
  }

  private show(taskId: string | undefined) {
    setCurrentDetails(taskId === undefined ? '**Nothing to do**' : `**Waits for** the task \`${taskId}\``);
  }
}

/** What cannot be told any more need not be: the end of the task is on its way here. */
const endedBefore = () => {};
