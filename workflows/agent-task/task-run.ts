import {
  ApplicationFailure,
  CancellationScope,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { ContentHash, MessageHead, StepResult, TaskPlan, TaskRef, WaitReason } from '../../contract/references.ts';
import { steerSignal } from '../signals-and-updates.ts';
import { effectCall, modelCall, rowWrite, toolCall } from '../policies.ts';
import { ApprovalDesk } from './approval-desk.ts';
import { approvalRefOf, catchWait, settleAll, summaryOf } from './calls.ts';
import { hasNewChild, noDelegations, prepareDelegations, runDelegation, steerChildren } from './delegation.ts';
import { LoopGuard } from './loop-guard.ts';
import type { ContinueAsNewState, LoopState } from './loop-state.ts';
import { TaskProgress } from './progress.ts';
import { cancelRemoteRun, runRemote } from './remote.ts';
import { WaitingRoom } from './waiting-room.ts';
import { WorkingTime } from './working-time.ts';

const { runTool } = proxyActivities<Activities>(toolCall);
const { runTool: runEffect } = proxyActivities<Activities>(effectCall);
const { startTask, carryOn, conclude, takeSteering } = proxyLocalActivities<Activities>(rowWrite);

/** Events after which the task continues in a new run, so that a replay after a crash stays short. */
const maxHistoryEvents = 1_500;

/** The tool calls that a step asks for. */
type RequestedCalls = Pick<Extract<StepResult, { next: 'tools' }>, 'head' | 'calls'>;

/** How a segment of work ends: with an answer, with something to wait for, or because the history is long enough. */
type SegmentOutcome = { result: ContentHash } | { wait: WaitReason } | 'history_full';

/** One run of the agent loop, in segments of work between waits. */
export class TaskRun {
  readonly progress: TaskProgress;
  /** The task ends at its budget, before there was an answer. */
  isIncomplete = false;
  private readonly task: TaskRef;
  private readonly room: WaitingRoom;
  private readonly desk: ApprovalDesk;
  private readonly guard: LoopGuard;
  private readonly state: LoopState;
  /** Calls of the current step that have not run, because some of them need approval first. */
  private requested: RequestedCalls | undefined;
  private plan: TaskPlan = { model: '', maxSteps: 0, budget: {} };
  private readonly time: WorkingTime;
  /** The children that run now. */
  private readonly children = new Set<string>();
  /** The task has messages that it has not read. */
  private isSteered = false;

  constructor(task: TaskRef, head: MessageHead, carried: ContinueAsNewState | undefined) {
    this.task = task;
    this.progress = new TaskProgress(task, carried);
    this.room = new WaitingRoom(task);
    this.desk = new ApprovalDesk(task);
    setHandler(steerSignal, () => {
      this.isSteered = true;
      steerChildren(this.children);
    });
    this.guard = new LoopGuard(carried?.guard);
    this.state = { step: carried?.step ?? 1, head, results: carried?.results ?? [] };
    this.time = new WorkingTime(task, this.room, carried);
    this.isSteered = carried?.steered ?? false;
  }

  async begin(carried: ContinueAsNewState | undefined) {
    if (carried) await carryOn({ task: this.task, from: carried.runId });
    this.plan = carried?.plan ?? (await startTask({ task: this.task }));
    if (!carried) this.isSteered ||= this.plan.isSteered === true;
    this.room.budget = this.plan.budget;
    this.progress.setPlan(this.plan);
  }

  /** Works until there is an answer, and waits where that helps. @returns undefined when a new run must continue */
  async runUntilAnswered(): Promise<ContentHash | undefined> {
    while (true) {
      const outcome = await this.time.limit(() => this.runSteps());
      if (outcome === 'history_full') return undefined;
      if ('result' in outcome) return outcome.result;
      const { wait } = outcome;
      this.progress.showWaiting(wait);
      if (wait.reason === 'approval') await this.desk.waitForVerdicts(wait);
      else if (!(await this.room.wait(wait))) {
        if (this.worksElsewhere) await this.endElsewhere();
        return this.conclude();
      }
      this.progress.showRunning();
    }
  }

  /** Ends without an answer, with what there is. */
  private conclude(): Promise<ContentHash> {
    this.isIncomplete = true;
    return conclude({ task: this.task, head: this.state.head });
  }

  /** The agent is one that works elsewhere. */
  get worksElsewhere(): boolean {
    return this.plan.remote === true;
  }

  /** Ends what the task has begun elsewhere, when it has no answer from there. */
  endElsewhere(): Promise<void> {
    return cancelRemoteRun({ task: this.task, head: this.state.head });
  }

  continueAsNewArgs(): { head: MessageHead; carried: ContinueAsNewState } {
    const { usage, modelCalls } = this.progress;
    return {
      head: this.state.head,
      carried: {
        ...this.state,
        runId: workflowInfo().runId,
        plan: { ...this.plan, budget: this.room.budget },
        usage,
        modelCalls,
        workedMs: this.time.workedMs,
        ...(this.time.hasDelegated ? { hasDelegated: true } : {}),
        ...(this.time.sinceMs === undefined ? {} : { sinceMs: this.time.sinceMs }),
        guard: this.guard.state,
        ...(this.isSteered ? { steered: true } : {}),
      },
    };
  }

  /** The loop: each step is one model call, then its tool calls in parallel, until the model answers. */
  private async runSteps(): Promise<SegmentOutcome> {
    const { plan, state } = this;
    if (this.worksElsewhere) return this.runElsewhere();
    for (; state.step <= plan.maxSteps; state.step++) {
      if (!this.requested) {
        if (workflowInfo().historyLength > maxHistoryEvents || workflowInfo().continueAsNewSuggested)
          return 'history_full';
        if (this.isSteered) await this.readSteering();
        const step = await this.callModel();
        if ('wait' in step) return step;
        if (step.next === 'answer') return { result: step.result };
        if (step.next === 'again') {
          this.guard.recordCorrection(step.because);
          state.head = step.head;
          state.results = [];
          continue;
        }
        this.requested = step;
      }
      const { head, calls } = this.requested;
      const wait = await this.desk.request(state.step, head, calls);
      if (wait) return { wait };
      const outage = await this.runTools(this.requested);
      if (outage) return outage;
    }
    throw ApplicationFailure.nonRetryable(`No answer after ${plan.maxSteps} steps.`, 'step_limit');
  }

  /** The whole work of an agent that works elsewhere: it is asked once, and followed until it answers. */
  private async runElsewhere(): Promise<SegmentOutcome> {
    const { task, state, progress } = this;
    progress.showModelCall(state.step);
    const outcome = await catchWait(runRemote({ task, head: state.head, canWait: true }));
    if ('wait' in outcome) return outcome;
    this.room.noteSuccess();
    progress.addSpend(outcome.usage);
    return { result: outcome.result };
  }

  private async callModel(): Promise<StepResult | { wait: WaitReason }> {
    const { task, progress } = this;
    const { model, fallbacks, callTimeoutMs } = this.plan;
    const { step, head, results } = this.state;
    const { callModel } = proxyActivities<Activities>(modelCall(callTimeoutMs));
    progress.showModelCall(step);
    const outcome = await catchWait(
      callModel.executeWithOptions({ summary: `step ${step} · ${model}` }, [
        { task, step, model, ...(fallbacks ? { fallbacks } : {}), head, results, canWait: true },
      ]),
    );
    if ('wait' in outcome) return outcome;
    this.room.noteSuccess();
    progress.addSpend(outcome.usage);
    return outcome;
  }

  /** @returns what to wait for before the calls are made again; those that have a result return it then */
  private async runTools({ head, calls }: RequestedCalls): Promise<{ wait: WaitReason } | undefined> {
    const { task, state, progress } = this;
    const { step } = state;
    progress.showToolCalls(calls);
    const made = calls.map(({ callId, tool, effect, delegate, approval }) => {
      const verdict = approval && this.desk.verdictOn(callId);
      const approved = verdict ? { approval: approvalRefOf(verdict) } : {};
      return { effect, delegate, request: { task, step, head, call: { callId, tool }, ...approved } };
    });
    const delegated = made.flatMap(({ delegate, request }) => (delegate ? [request] : []));
    this.time.hasDelegated ||= delegated.length > 0;
    const { prepared, wait } = delegated.length > 0 ? await prepareDelegations(delegated) : noDelegations;
    const settled = settleAll(
      made.flatMap(({ effect, delegate, request }) => {
        const { callId, tool } = request.call;
        const child = prepared.get(callId);
        if (child) return [runDelegation(request, child, this.children)];
        if (delegate) return [];
        const run = effect ? runEffect : runTool;
        return [run.executeWithOptions({ summary: summaryOf(tool, step) }, [{ ...request, canWait: true }])];
      }),
    );
    const results = await catchWait(settled);
    if ('wait' in results) return results;
    if (wait) return this.retryDelegation({ head, calls }, { wait, hasBegun: hasNewChild(prepared) });
    this.room.noteSuccess();
    state.results = this.guard.checkResults(calls, results);
    state.head = head;
    this.requested = undefined;
    this.desk.forgetVerdicts();
    return undefined;
  }

  /** Not all children of the step could be stored. Those that have ended since gave back what they did not need. */
  private retryDelegation(requested: RequestedCalls, { wait, hasBegun }: { wait: WaitReason; hasBegun: boolean }) {
    return hasBegun ? this.runTools(requested) : Promise.resolve({ wait });
  }

  /** Sends the messages that arrived during the last step to the model, together with that step's results. */
  private async readSteering() {
    const { task, state } = this;
    const { step, head, results } = state;
    this.isSteered = false;
    const take = () => takeSteering({ task, step, head, results });
    // Not cancellable: the row would call the messages read, and the task would go on from a head without them.
    const taken = await (patched('steering-is-taken-whole') ? CancellationScope.nonCancellable(take) : take());
    state.head = taken.head;
    // Messages that arrived after this step's snapshot wait for the next step.
    this.isSteered ||= taken.hasMore === true;
    state.results = [];
  }
}
