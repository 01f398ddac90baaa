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

/** Steps between two updates of the spend that Temporal's lists show. */
const showEvery = 10;

/** What the task has spent, and what Temporal's pages show of it. Holds no content and no personal data. */
export class TaskProgress {
  usage: Usage;
  modelCalls: number;
  private step = 0;
  private plan: TaskPlan | undefined;
  private readonly task: TaskRef;

  /** @param before totals of the previous runs of this task */
  constructor(task: TaskRef, before?: Pick<TaskProgress, 'usage' | 'modelCalls'>) {
    this.task = task;
    this.usage = before?.usage ?? noUsage;
    this.modelCalls = before?.modelCalls ?? 0;
  }

  setPlan(plan: TaskPlan) {
    this.plan = plan;
  }

  addSpend(usage: Usage) {
    this.usage = addUsage(this.usage, usage);
    this.modelCalls++;
  }

  showModelCall(step: number) {
    this.step = step;
    this.show(`model \`${this.plan?.model}\``);
  }

  showToolCalls(calls: ToolCallRef[]) {
    // Each upsert is an event in the history. The workflow starts with status "running", so only spend is worth one
    // here, and not at every step.
    if (this.usage.costUsd > 0 && this.isUpdateDue()) upsertSearchAttributes(this.spendAttributes());
    this.show(`tools: ${calls.map(({ tool }) => `\`${tool}\``).join(', ')}`);
  }

  showWaiting(wait: WaitReason) {
    upsertSearchAttributes([{ key: key('AlfredStatus'), value: 'waiting' }, ...this.spendAttributes()]);
    this.show(descriptionOf(wait));
  }

  showRunning() {
    upsertSearchAttributes([{ key: key('AlfredStatus'), value: 'running' }]);
  }

  showEnd(status: TaskStatus) {
    upsertSearchAttributes([{ key: key('AlfredStatus'), value: status }, ...this.spendAttributes()]);
    this.show('nothing');
  }

  private isUpdateDue() {
    return this.step === 1 || this.step % showEvery === 0 || !patched('spend-shown-every-tenth-step');
  }

  private spendAttributes() {
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

function descriptionOf(wait: WaitReason): string {
  if (wait.reason === 'budget') return `more budget (${wait.limit} of the ${wait.scope})`;
  if (wait.reason === 'service') return `the ${wait.service}`;
  if (wait.reason === 'tenant') return 'its tenant, which is suspended';
  return wait.reason === 'outage' ? `\`${wait.model}\` to come back` : `approval of ${wait.approvals.length} calls`;
}
