import type { Agent } from '../../agents/index.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { MessageHead, TaskRef } from '../../contract/references.ts';
import { askModel, type AskDeps, type CallAttempt } from './ask-model.ts';
import { maxChainTokens, estimateMessageTokens } from '../context/context-size.ts';
import {
  applyCompaction,
  planFit,
  withoutSummary,
  type FitRequest,
  type Fitted,
  type SummaryRequest,
} from '../context/fit-context.ts';
import { overheadBytesOf, summaryRequest } from './model-request.ts';
import type { MessageStore, ModelFacts, ModelProvider, OpenedStep, Tool } from '../../contract/ports/index.ts';

export type FitDeps = AskDeps & { tools: Record<string, Tool>; messageStore: MessageStore };

/** One step of a task by one model. */
export type StepContext = {
  task: TaskRef;
  at: CallAttempt;
  agent: Agent;
  provider: ModelProvider;
  facts: ModelFacts;
  /** The output limit of the call. */
  outputTokens: number;
};

/**
 * Shortens the conversation if it takes too much of the model's window. Each compaction is an event.
 *
 * @param options `opened`: what the step began with; without it the conversation is loaded. `force`: the provider
 *   refused the conversation as too large
 * @throws AlfredError `model_context_overflow` when it cannot be made to fit; and as `askModel`, for the summary
 */
export async function fitConversation(
  deps: FitDeps,
  context: StepContext,
  { head, opened, force }: { head: MessageHead; opened?: OpenedStep; force: boolean },
  signal: AbortSignal,
): Promise<Fitted> {
  const { messageStore, tools, metrics, events } = deps;
  const { task, at, agent, facts, outputTokens } = context;
  const request: FitRequest = {
    task,
    head,
    loaded: opened?.conversation,
    facts,
    outputTokens,
    overheadBytes: overheadBytesOf(tools, agent),
    force,
  };
  const plan = await planFit(messageStore, request);
  if ('fitted' in plan) return plan.fitted;
  // The shorter chain names this one.
  if (opened?.unstored) await messageStore.append(task, opened.unstored.parent, opened.unstored.message);
  const { compaction } = plan;
  const { toSummarise } = compaction;
  const summary = toSummarise && (await summarise(deps, context, { head, ...toSummarise }, signal));
  const fitted = await applyCompaction(
    messageStore,
    request,
    toSummarise && summary === undefined ? withoutSummary(compaction) : compaction,
    summary,
  );
  for (const compacted of fitted.compacted) {
    metrics.contextCompactions.inc({ method: compacted.method });
    await events.appendOnce(task, at, { type: 'context.compacted', data: { step: at.step, ...compacted } });
  }
  return fitted;
}

/**
 * Lets the model summarise messages. A repeat for the same step and head returns the stored summary.
 *
 * @returns undefined when the output limit was over before the model wrote anything: it reasoned until then
 */
async function summarise(
  deps: FitDeps,
  { task, at, provider, facts }: StepContext,
  { head, messages, maxTokens }: SummaryRequest & { head: MessageHead },
  signal: AbortSignal,
): Promise<string | undefined> {
  const request = summaryRequest(messages, maxTokens, { task, at, facts });
  const instructionBytes = Buffer.byteLength(request.instructions);
  const asked = askModel(
    deps,
    {
      task,
      at,
      facts,
      provider,
      request,
      parent: head,
      purpose: `summary/${head}`,
      estimatedTokens: estimateMessageTokens(request.messages, instructionBytes),
      upperBoundTokens: maxChainTokens({ messages: request.messages }, facts.name, instructionBytes),
    },
    signal,
  );
  return asked.then(
    ({ text }) => text,
    (error: unknown) => {
      if (error instanceof AlfredError && error.code === 'model_output_limit') return undefined;
      throw error;
    },
  );
}
