import type { Agents } from '../../agents/index.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { ToolMessage } from '../../contract/messages.ts';
import type { MessageHead, StepResult, TaskRef } from '../../contract/references.ts';
import { callableTools, type ToolRightsDeps } from '../acting/tool-rights.ts';
import { requireAgent } from '../activity-context.ts';
import { agentsToHandOver, withAgentsToAsk, withHeirs, type AgentsToAskDeps } from '../delegation/agents-to-ask.ts';
import { askModel, type CallAttempt } from './ask-model.ts';
import type { Fitted } from '../context/fit-context.ts';
import { fitConversation, type FitDeps, type StepContext } from './fit-conversation.ts';
import { createPrescribedProvider, openGate, prescribedStepIn } from './prescribed-call.ts';
import { stepRequest, withAdded } from './model-request.ts';
import { recallMemories, withMemories } from './recall.ts';
import type { Memories, ModelCatalog, ModelProvider, NextMessage, Tasks } from '../../contract/ports/index.ts';

export type StepDeps = FitDeps &
  ToolRightsDeps &
  AgentsToAskDeps & {
    agents: Agents;
    memories: Pick<Memories, 'recall'>;
    tasks: Pick<Tasks, 'get' | 'getCurrentRoles'>;
    providers: Record<string, ModelProvider>;
    catalog: ModelCatalog;
    maxOutputTokens: number;
  };

type Step = {
  task: TaskRef;
  at: CallAttempt;
  model: string;
  head: MessageHead;
  next: ToolMessage | undefined;
};

/**
 * How often a conversation that the provider refuses is halved. If an eighth of the stated window still does not fit,
 * the stated window is wrong.
 */
const maxHalvings = 3;

/**
 * Runs one step of a task with one model. A conversation that the provider refuses as too large is halved and sent
 * again.
 *
 * @param step `next`: the results of the calls that the message at `head` asks for
 */
export async function runStep(
  deps: StepDeps,
  { task, at, model, head, next }: Step,
  signal: AbortSignal,
): Promise<StepResult> {
  const known = requireAgent(deps.agents, task.agent);
  const opened = await deps.messageStore.openStep(task, head, next);
  const { own, added } = opened.instructions;
  const memories = await recallMemories(deps, { task, step: at.step, agent: known }, opened.instructions);
  // A tool that the owner of the task may not use is not offered to the model.
  const tools = await callableTools(deps, task, known.tools);
  const instructions = withMemories(withAdded(own ?? known.instructions, added), memories);
  const agent = { ...known, tools, instructions };
  const asking = tools.includes('delegate') ? await withAgentsToAsk(deps, task, deps.tools) : deps.tools;
  const heirs = tools.includes('hand_over') ? await agentsToHandOver(deps, task) : [];
  const offered = withHeirs(deps.agents, asking, heirs);
  const { provider, facts } = findModel(deps, model);
  // At most a quarter of the window, so that the answer leaves room for the conversation.
  const outputTokens = Math.min(deps.maxOutputTokens, facts.maxOutputTokens, Math.floor(facts.contextTokens / 4));
  const context: StepContext = { task, at, agent, provider, facts, outputTokens };

  const stepDeps = { ...deps, tools: offered, heirs };
  let fitted = await fitConversation(stepDeps, context, { head: opened.head, opened, force: false }, signal);
  let halvings = 0;
  while (true) {
    try {
      return await askForStep(stepDeps, context, { fitted, unstored: opened.unstored }, signal);
    } catch (error) {
      const isTooLarge = error instanceof AlfredError && error.code === 'model_context_overflow';
      if (!isTooLarge || halvings === maxHalvings) throw error;
      halvings++;
      fitted = await fitConversation(stepDeps, context, { head: fitted.head, force: true }, signal);
    }
  }
}

async function askForStep(
  deps: StepDeps & { heirs: string[] },
  context: StepContext,
  { fitted, unstored }: { fitted: Fitted; unstored: NextMessage | undefined },
  signal: AbortSignal,
): Promise<StepResult> {
  const { task, at, agent, provider, facts } = context;
  const { head, conversation, estimatedTokens, upperBoundTokens } = fitted;
  const prescribed = await prescribedStepIn(conversation.messages, {
    agent,
    tools: deps.tools,
    isOffline: provider.isOffline,
    findResult: (callId) => deps.messageStore.findToolResult(task, task.taskId, callId),
  });
  const { turn } = await askModel(
    prescribed ? { ...deps, gate: openGate } : deps,
    {
      task,
      at,
      facts,
      provider: prescribed ? createPrescribedProvider(provider.name, prescribed) : provider,
      parent: head,
      unstored,
      purpose: 'turn',
      request: stepRequest(deps.tools, conversation.messages, context),
      estimatedTokens,
      upperBoundTokens,
      answer: { agent, fitted, heirs: deps.heirs, prescribed },
    },
    signal,
  );
  return turn;
}

/** @param name `provider:model` */
function findModel({ providers, catalog }: StepDeps, name: string) {
  const provider = providers[name.slice(0, name.indexOf(':'))];
  if (!provider) throw new AlfredError('model_unconfigured', `No provider is configured for "${name}".`);
  // Throws for a model without a price, before the model costs anything.
  return { provider, facts: catalog.factsOf(name) };
}
