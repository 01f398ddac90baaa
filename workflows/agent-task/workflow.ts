import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type {
  ContentHash,
  MessageHead,
  WaitReason,
  TaskPlan,
  TaskRef,
  ToolResultRef,
  StepResult,
  Usage,
  Verdict,
} from '../../contract/references.ts';
import { steerSignal } from '../messages.ts';
import { effectCall, modelCall, row, toolCall } from '../policies.ts';
import { ApprovalDesk } from './approval-desk.ts';
import { failureOf, stopOf, taskFailure } from '../failure.ts';
import { LoopGuard, type GuardState } from './loop-guard.ts';
import { TaskProgress } from './progress.ts';
import { WaitingRoom } from './waiting-room.ts';

const { callModel } = proxyActivities<Activities>(modelCall);
const { runTool } = proxyActivities<Activities>(toolCall);
const { runTool: runEffect, undoCall } = proxyActivities<Activities>(effectCall);
const { startTask, carryOn, conclude, completeTask, closeTask, takeSteering, cancellationOf, giveUpUndo } =
  proxyLocalActivities<Activities>(row);

/** Events of one run after which the task goes on in a new one; a run that is replayed after a crash stays short. */
const longRun = 1_500;

/** Calls that a turn asked for and that have not run, because a person must approve some of them. */
type Asked = Pick<Extract<StepResult, { next: 'tools' }>, 'head' | 'calls'>;
/** Where a task stands between two steps: all that a new run needs to go on. */
type Place = { step: number; head: MessageHead; results: ToolResultRef[]; asked?: Asked | undefined };
type Carried = Place & {
  /** The run before. */
  runId: string;
  plan: TaskPlan;
  usage: Usage;
  modelCalls: number;
  workedMs: number;
  guard: GuardState;
  steered?: true;
};
export type AgentTask = TaskRef & { head: MessageHead; carried?: Carried };

/** One agent, one question, until it answers: ask the model, run the tools it wants, ask again. */
export async function agentTaskWorkflow({ head, carried, ...task }: AgentTask): Promise<ContentHash> {
  const journey = new Journey(task, head, carried);
  try {
    await journey.begin(carried);
    const result = await journey.untilAnswered();
    if (result !== undefined) {
      // An answer that is there is not cancelled any more.
      await CancellationScope.nonCancellable(() => completeTask({ task, result }));
      await CancellationScope.nonCancellable(handlersFinished);
      journey.progress.ended('completed');
      return result;
    }
  } catch (error) {
    const cancelled = isCancellation(error) && CancellationScope.current().consideredCancelled;
    const failure = failureOf(error);
    if (cancelled && patched('undo-when-cancelled')) await CancellationScope.nonCancellable(() => undo(task));
    await CancellationScope.nonCancellable(() =>
      closeTask({
        task,
        closure: cancelled
          ? { status: 'cancelled', reason: 'Cancelled on request.' }
          : { status: 'failed', ...failure },
      }),
    );
    await CancellationScope.nonCancellable(handlersFinished);
    journey.progress.ended(cancelled ? 'cancelled' : 'failed');
    throw cancelled ? error : taskFailure(failure);
  }
  await CancellationScope.nonCancellable(handlersFinished);
  return continueAsNew<typeof agentTaskWorkflow>({ ...task, ...journey.toBeContinued() });
}

/** Takes back what the task has changed, newest first, if whoever cancelled it asked for that. */
async function undo(task: TaskRef): Promise<void> {
  const { undo: calls } = await cancellationOf({ task });
  for (const call of calls) {
    try {
      await undoCall({ task, call });
    } catch {
      // The others are taken back all the same.
      await giveUpUndo({ task, call });
    }
  }
}

const handlersFinished = async () => {
  if (!allHandlersFinished()) await condition(allHandlersFinished);
};

/** What came of a stretch of work: an answer, something to wait for, or a run that is long enough. */
type Stretch = { result: ContentHash } | { stop: WaitReason } | 'long';

class Journey {
  readonly progress: TaskProgress;
  private readonly task: TaskRef;
  private readonly room: WaitingRoom;
  private readonly desk: ApprovalDesk;
  private readonly guard: LoopGuard;
  private readonly place: Place;
  private plan: TaskPlan = { model: '', maxSteps: 0, budget: {} };
  private workedMs: number;
  /** Messages were given to the task that it has not read. */
  private isSteered = false;

  constructor(task: TaskRef, head: MessageHead, carried: Carried | undefined) {
    this.task = task;
    this.progress = new TaskProgress(task, carried);
    this.room = new WaitingRoom(task);
    this.desk = new ApprovalDesk(task);
    setHandler(steerSignal, () => void (this.isSteered = true));
    this.guard = new LoopGuard(carried?.guard);
    this.place = { step: carried?.step ?? 1, head, results: carried?.results ?? [] };
    this.workedMs = carried?.workedMs ?? 0;
    this.isSteered = carried?.steered ?? false;
  }

  async begin(carried: Carried | undefined) {
    if (carried) await carryOn({ task: this.task, from: carried.runId });
    this.plan = carried?.plan ?? (await startTask({ task: this.task }));
    this.room.budget = this.plan.budget;
    this.progress.planned(this.plan);
  }

  /** Works until there is an answer, and waits wherever that helps. @returns undefined when a new run shall go on */
  async untilAnswered(): Promise<ContentHash | undefined> {
    while (true) {
      const stretch = await this.withinTime(() => this.work());
      if (stretch === 'long') return undefined;
      if ('result' in stretch) return stretch.result;
      this.progress.waits(stretch.stop);
      if (stretch.stop.reason === 'approval') await this.desk.wait(stretch.stop);
      else if (!(await this.room.wait(stretch.stop))) return conclude({ task: this.task, head: this.place.head });
      this.progress.goesOn();
    }
  }

  toBeContinued(): { head: MessageHead; carried: Carried } {
    const { usage, modelCalls } = this.progress;
    const plan = { ...this.plan, budget: this.room.budget };
    const { runId } = workflowInfo();
    const { head } = this.place;
    return {
      head,
      carried: {
        ...{ ...this.place, runId, plan, usage, modelCalls, workedMs: this.workedMs, guard: this.guard.state },
        ...(this.isSteered ? { steered: true } : {}),
      },
    };
  }

  /** The loop: a model call a step, its tool calls side by side, until the model has nothing more to ask. */
  private async work(): Promise<Stretch> {
    const { plan, place } = this;
    for (; place.step <= plan.maxSteps; place.step++) {
      if (!place.asked) {
        if (workflowInfo().historyLength > longRun || workflowInfo().continueAsNewSuggested) return 'long';
        if (this.isSteered) await this.readSteering();
        const turn = await this.callModel();
        if ('stop' in turn) return turn;
        if (turn.next === 'answer') return { result: turn.result };
        if (turn.next === 'again') {
          this.guard.corrected(turn.because);
          [place.head, place.results] = [turn.head, []];
          continue;
        }
        place.asked = turn;
      }
      const { head, calls } = place.asked;
      const stop = await this.desk.ask(place.step, head, calls);
      if (stop) return { stop };
      await this.runTools(place.asked);
    }
    throw ApplicationFailure.nonRetryable(`No answer after ${plan.maxSteps} steps.`, 'step_limit');
  }

  private async callModel() {
    const { task, place, progress } = this;
    const { model, fallbacks } = this.plan;
    const { step, head, results } = place;
    progress.callsModel(step);
    const turn = await stopping(callModel({ task, step, model, ...(fallbacks ? { fallbacks } : {}), head, results }));
    if (!('stop' in turn)) progress.spent(turn.usage);
    return turn;
  }

  private async runTools({ head, calls }: Asked) {
    const { task, place, progress } = this;
    const { step } = place;
    progress.runsTools(calls);
    const done = await allOf(
      calls.map(({ callId, tool, effect, approval }) => {
        const verdict = approval && this.desk.verdictOn(callId);
        const run = effect ? runEffect : runTool;
        return run({ task, step, head, call: { callId, tool }, ...(verdict ? { approval: refOf(verdict) } : {}) });
      }),
    );
    place.results = this.guard.judge(calls, done);
    place.head = head;
    place.asked = undefined;
    this.desk.clear();
  }

  /** What was said to the task meanwhile goes to the model with the results of the last step. */
  private async readSteering() {
    const { task, place } = this;
    const { step, head, results } = place;
    this.isSteered = false;
    const taken = await takeSteering({ task, step, head, results });
    place.head = taken.head;
    // What came after this step was told what it reads is for the next one.
    this.isSteered ||= taken.hasMore === true;
    place.results = [];
  }

  /** Time spent waiting is not time spent working. */
  private async withinTime(run: () => Promise<Stretch>): Promise<Stretch> {
    const { maxDurationS } = this.room.budget;
    const begun = Date.now();
    try {
      return await (maxDurationS === undefined ? run() : this.atMost(maxDurationS, run));
    } finally {
      this.workedMs += Date.now() - begun;
    }
  }

  private async atMost(seconds: number, run: () => Promise<Stretch>): Promise<Stretch> {
    const over = () => ({
      stop: {
        ...({ reason: 'budget', limit: 'maxDurationS', scope: 'task' } as const),
        ...{ max: seconds, charged: seconds, needed: 0 },
      },
    });
    const left = seconds * 1_000 - this.workedMs;
    if (left <= 0) return over();
    const scope = new CancellationScope({ cancellable: true, timeout: left });
    try {
      return await scope.run(run);
    } catch (error) {
      if (!isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
      return over();
    }
  }
}

/** Waits for every call before one that failed ends the step: what they did must be known before it is undone. */
async function allOf<T>(calls: Promise<T>[]): Promise<T[]> {
  if (!patched('all-calls-end')) return Promise.all(calls);
  const ended = await Promise.allSettled(calls);
  return ended.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

const refOf = ({ id, runs, argumentsHash }: Verdict) => ({ id, runs, argumentsHash });

/** A model call, or what it waits for. */
async function stopping<T extends object>(call: Promise<T>): Promise<T | { stop: WaitReason }> {
  try {
    return await call;
  } catch (error) {
    const stop = stopOf(error);
    if (!stop) throw error;
    return { stop };
  }
}
