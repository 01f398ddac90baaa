import { activityInfo } from '@temporalio/activity';
import type { Agents } from '../agents/index.ts';
import { AlfredError, maxAttemptsOf } from '../contract/errors.ts';
import type { AssistantPart } from '../contract/messages.ts';
import { noUsage, type Head, type TaskRef, type ToolResultRef, type Turn, type Usage } from '../contract/references.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { citationsOf, numberPassages } from './citations.ts';
import { alfredErrorOf } from './errors.ts';
import { heartbeating } from './heartbeat.ts';
import type { Conversations, Ledger, Message, ModelProvider, StopReason, TaskEvents, Tool } from './ports.ts';
import { createTextWriter } from './text-writer.ts';

export type ModelDeps = {
  agents: Agents;
  providers: Record<string, ModelProvider>;
  tools: Record<string, Tool>;
  conversations: Conversations;
  ledger: Ledger;
  events: TaskEvents;
  metrics: Metrics;
  log: Logger;
  maxOutputTokens: number;
};

type CallModel = { task: TaskRef; step: number; model: string; head: Head; results: ToolResultRef[] };

export const createModelActivities = (deps: ModelDeps) => {
  const { conversations, ledger, metrics } = deps;
  return {
    /**
     * One turn: what the conversation says goes to the model, its text to the followers, its response into the store.
     * A repeat returns what was stored; nothing is paid twice.
     */
    callModel: ({ task, step, model: name, head, results }: CallModel): Promise<Turn> =>
      heartbeating(async (signal) => {
        const attempt = activityInfo().attempt;
        const { provider, model } = resolve(deps.providers, name);
        const paid = await ledger.beginModelCall(task, { step, attempt, model: name });
        if (paid) return paid;
        const parent = results.length ? await conversations.append(task, head, { role: 'tool', results }) : head;
        const messages = numberPassages(await conversations.load(task, parent));

        const call = new Call(provider, model);
        const record = () => ({ step, attempt, provider: provider.name, model, ...call.record() });
        try {
          await stream(deps, call, { task, step, attempt, messages }, signal);
          const { parts, stopReason } = call.response();
          const answers = !parts.some(({ type }) => type === 'tool_call');
          const turn = await ledger.settleModelCall(task, {
            ...record(),
            parent,
            parts,
            stopReason,
            ...(answers ? { result: { text: call.text, citations: citationsOf(call.text, messages) } } : {}),
          });
          observe(metrics, record(), 'completed');
          return turn;
        } catch (error) {
          const { code, message } = signal.aborted
            ? { code: 'superseded' as const, message: 'The call was stopped.' }
            : alfredErrorOf(error);
          const willRetry = !signal.aborted && attempt < maxAttemptsOf(code);
          observe(metrics, record(), signal.aborted ? 'cancelled' : code);
          await ledger
            .failModelCall(task, { ...record(), code, message, willRetry })
            .catch((failure: unknown) =>
              deps.log.error({ failure, taskId: task.taskId, step }, 'a failed model call could not be recorded'),
            );
          throw error;
        }
      }),
  };
};

/** One attempt at a model call while it runs: what came, what it cost, how long it took. */
class Call {
  text = '';
  private usage: Omit<Usage, 'costUsd'> = noUsage;
  private ended: { parts: AssistantPart[]; stopReason: StopReason } | undefined;
  private readonly begun = performance.now();
  private firstTokenMs: number | null = null;
  readonly provider: ModelProvider;
  readonly model: string;

  constructor(provider: ModelProvider, model: string) {
    this.provider = provider;
    this.model = model;
  }

  append(text: string) {
    this.firstTokenMs ??= Math.round(performance.now() - this.begun);
    this.text += text;
  }

  uses(usage: Omit<Usage, 'costUsd'>) {
    this.usage = usage;
  }

  ends(parts: AssistantPart[], stopReason: StopReason) {
    this.ended = { parts, stopReason };
  }

  /** The whole response, or the reason why there is none to use. */
  response() {
    if (!this.ended) throw new AlfredError('model_unavailable', 'The model’s answer broke off.');
    const { stopReason } = this.ended;
    if (stopReason === 'refusal') throw new AlfredError('model_refused');
    if (stopReason === 'max_tokens') throw new AlfredError('model_output_limit');
    const says = this.text.trim() !== '' || this.ended.parts.some(({ type }) => type === 'tool_call');
    if (!says) throw new AlfredError('model_unavailable', 'The model gave an empty answer.');
    return this.ended;
  }

  record() {
    const costUsd = this.provider.price(this.model, this.usage);
    return {
      usage: { ...this.usage, costUsd },
      durationMs: Math.round(performance.now() - this.begun),
      firstTokenMs: this.firstTokenMs,
    };
  }
}

async function stream(
  { agents, tools, events, ledger: _, maxOutputTokens }: ModelDeps,
  call: Call,
  { task, step, attempt, messages }: { task: TaskRef; step: number; attempt: number; messages: Message[] },
  cancelled: AbortSignal,
) {
  const agent = agents[task.agent];
  if (!agent) throw new AlfredError('unknown_agent', `There is no agent "${task.agent}" in this version.`);
  const superseded = new AbortController();
  const signal = AbortSignal.any([cancelled, superseded.signal]);
  const writer = createTextWriter(async (text) => {
    if (!(await events.appendText(task, { step, attempt }, text))) superseded.abort(new AlfredError('superseded'));
  });
  const request = {
    model: call.model,
    instructions: agent.instructions,
    messages,
    tools: agent.tools.flatMap((name) => tools[name] ?? []),
    maxOutputTokens,
    idempotencyKey: `${task.taskId}/${step}`,
  };
  try {
    for await (const event of call.provider.stream(request, signal)) {
      if (event.type === 'usage') call.uses(event.usage);
      else if (event.type === 'end') call.ends(event.parts, event.stopReason);
      else {
        call.append(event.text);
        writer.write(event.text);
      }
    }
  } finally {
    await writer.close();
  }
  signal.throwIfAborted();
}

function resolve(providers: Record<string, ModelProvider>, name: string) {
  const colon = name.indexOf(':');
  const provider = providers[name.slice(0, colon)];
  if (!provider) throw new AlfredError('model_unconfigured', `No provider is configured for "${name}".`);
  const model = name.slice(colon + 1);
  // A model without a price is refused before it costs anything.
  provider.price(model, noUsage);
  return { provider, model };
}

type Observed = { provider: string; model: string; usage: Usage; durationMs: number; firstTokenMs: number | null };

function observe(metrics: Metrics, { provider, model, usage, durationMs, firstTokenMs }: Observed, outcome: string) {
  const labels = { provider, model };
  metrics.modelCalls.inc({ ...labels, outcome });
  metrics.modelCallDuration.observe(labels, durationMs / 1_000);
  if (firstTokenMs !== null) metrics.modelFirstToken.observe(labels, firstTokenMs / 1_000);
  metrics.modelTokens.inc({ ...labels, direction: 'input' }, usage.inputTokens);
  metrics.modelTokens.inc({ ...labels, direction: 'cache_read' }, usage.cacheReadTokens);
  metrics.modelTokens.inc({ ...labels, direction: 'cache_write' }, usage.cacheWriteTokens);
  metrics.modelTokens.inc({ ...labels, direction: 'output' }, usage.outputTokens);
  metrics.modelCost.inc(labels, usage.costUsd);
}
