import { defineSearchAttributeKey } from '@temporalio/common';
import { patched, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import {
  addUsage,
  noUsage,
  totalTokens,
  type WaitReason,
  type TaskPlan,
  type TaskRef,
  type ToolCallRef,
  type Usage,
} from '../../contract/references.ts';
import { searchAttributeTypes } from '../../contract/search-attributes.ts';
import type { TaskStatus } from '../../contract/task.ts';

const key = <N extends keyof typeof searchAttributeTypes>(name: N) =>
  defineSearchAttributeKey(name, searchAttributeTypes[name]);

/** Steps between two updates of what Temporal's lists show as spent. */
const showEvery = 10;

/** How far a task is: what the loop decides by, and what Temporal's pages show. No content, no personal data. */
export class TaskProgress {
  usage: Usage;
  modelCalls: number;
  private step = 0;
  private plan: TaskPlan | undefined;
  private readonly task: TaskRef;

  constructor(task: TaskRef, before?: Pick<TaskProgress, 'usage' | 'modelCalls'>) {
    this.task = task;
    this.usage = before?.usage ?? noUsage;
    this.modelCalls = before?.modelCalls ?? 0;
  }

  planned(plan: TaskPlan) {
    this.plan = plan;
  }

  callsModel(step: number) {
    this.step = step;
    this.show(`model \`${this.plan?.model}\``);
  }

  spent(usage: Usage) {
    this.usage = addUsage(this.usage, usage);
    this.modelCalls++;
  }

  runsTools(calls: ToolCallRef[]) {
    // A door starts the workflow as running; each upsert is an event, so only money is worth one on the way, and not
    // at every step.
    if (this.usage.costUsd > 0 && this.isWorthShowing()) upsertSearchAttributes(this.spentAttributes());
    this.show(`tools: ${calls.map(({ tool }) => `\`${tool}\``).join(', ')}`);
  }

  waits(stop: WaitReason) {
    upsertSearchAttributes([{ key: key('AlfredStatus'), value: 'waiting' }, ...this.spentAttributes()]);
    this.show(whatFor(stop));
  }

  goesOn() {
    upsertSearchAttributes([{ key: key('AlfredStatus'), value: 'running' }]);
  }

  ended(status: TaskStatus) {
    upsertSearchAttributes([{ key: key('AlfredStatus'), value: status }, ...this.spentAttributes()]);
    this.show('nothing');
  }

  private isWorthShowing() {
    return this.step === 1 || this.step % showEvery === 0 || !patched('spend-shown-every-tenth-step');
  }

  private spentAttributes() {
    return [
      { key: key('AlfredCostUsd'), value: this.usage.costUsd },
      { key: key('AlfredTokens'), value: totalTokens(this.usage) },
      ...(this.plan ? [{ key: key('AlfredModel'), value: this.plan.model }] : []),
    ];
  }

  private show(waitsFor: string) {
    const { agent } = this.task;
    setCurrentDetails(
      [
        `**Agent** ${agent} · **step** ${this.step} of at most ${this.plan?.maxSteps ?? '?'}`,
        `**Waits for** ${waitsFor}`,
        `**Tokens** ${totalTokens(this.usage)} · **model calls** ${this.modelCalls} · **cost** $${this.usage.costUsd.toFixed(4)}`,
      ].join('\n\n'),
    );
  }
}

function whatFor(stop: WaitReason): string {
  if (stop.reason === 'budget') return `more budget (${stop.limit} of the ${stop.scope})`;
  return stop.reason === 'outage' ? `\`${stop.model}\` to come back` : `approval of ${stop.approvals.length} calls`;
}
