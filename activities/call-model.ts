import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo } from '@temporalio/activity';
import type { Agents } from '../agents/index.ts';
import { AlfredError } from '../contract/errors.ts';
import type { AssistantPart } from '../contract/messages.ts';
import { noUsage, type Head, type TaskRef, type ToolResultRef, type Turn, type Usage } from '../contract/references.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { linkAbort } from '../runtime/linked-abort.ts';
import { isDatabaseUnavailable } from '../runtime/postgres.ts';
import { citationsOf, numberPassages } from './citations.ts';
import { currentRun } from './current-run.ts';
import { alfredErrorOf, isShutdown } from './errors.ts';
import { heartbeating } from './heartbeat.ts';
import type { Conversations, Ledger, Message, ModelProvider, Run, StopReason, TaskEvents, Tool } from './ports.ts';
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
        const at = { ...currentRun(), step, attempt: activityInfo().attempt };
        const { provider, model } = resolve(deps.providers, name);
        const paid = await ledger.beginModelCall(task, { ...at, model: name });
        if (paid) return paid;
        const parent = results.length ? await conversations.append(task, head, { role: 'tool', results }) : head;
        const messages = numberPassages(await conversations.load(task, parent));

        const call = new Call(provider, model);
        const record = () => ({ step, attempt: at.attempt, provider: provider.name, model, ...call.record() });
        try {
          await stream(deps, call, { task, at, messages }, signal);
          const { parts, stopReason } = call.response();
          const answers = !parts.some(({ type }) => type === 'tool_call');
          const result = answers ? { text: call.text, citations: citationsOf(call.text, messages) } : undefined;
          const settled = { ...record(), parent, parts, stopReason, result };
          const turn = await untilStored(() => ledger.settleModelCall(task, settled), signal);
          observe(metrics, settled, 'completed');
          return turn;
        } catch (error) {
          const failure = signal.aborted ? stopped(signal) : alfredErrorOf(error);
          const { code, message, retryAfterMs } = failure;
          observe(metrics, record(), code);
          const mayRetry = !signal.aborted || isShutdown(signal);
          const failures = await ledger
            .failModelCall(task, { ...record(), code, message, mayRetry })
            .catch((unwritten: unknown) => {
              deps.log.error(
                { err: unwritten, taskId: task.taskId, step },
                'a failed model call could not be recorded',
              );
              return undefined;
            });
          throw new AlfredError(code, message, { retryAfterMs, failures, cause: failure.cause ?? error });
        }
      }),
  };
};

const stopped = (signal: AbortSignal) =>
  isShutdown(signal)
    ? new AlfredError('draining', 'The worker shuts down.')
    : new AlfredError('superseded', 'The call was stopped.');

/** How long a paid response is held for a database that is away, in milliseconds; the activity's own limit is longer. */
const holdMs = 10 * 60_000;

/** Stores what has been paid for: a database that is away for a moment must not cost the same answer twice. */
async function untilStored<T>(store: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const begun = performance.now();
  while (true) {
    try {
      return await store();
    } catch (error) {
      if (!isDatabaseUnavailable(error) || signal.aborted || performance.now() - begun > holdMs) throw error;
      await sleep(1_000);
    }
  }
}

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
    // A provider says what it counted when it ends; what broke off is charged by the text that came.
    const outputTokens = this.ended ? this.usage.outputTokens : Math.max(this.usage.outputTokens, estimate(this.text));
    const usage = { ...this.usage, outputTokens };
    return {
      usage: { ...usage, costUsd: this.provider.price(this.model, usage) },
      durationMs: Math.round(performance.now() - this.begun),
      firstTokenMs: this.firstTokenMs,
    };
  }
}

/** Tokens of a text, four characters each. */
const estimate = (text: string) => Math.ceil(text.length / 4);

async function stream(
  { agents, tools, events, maxOutputTokens, log }: ModelDeps,
  call: Call,
  { task, at, messages }: { task: TaskRef; at: Run & { step: number; attempt: number }; messages: Message[] },
  cancelled: AbortSignal,
) {
  const agent = Object.hasOwn(agents, task.agent) ? agents[task.agent] : undefined;
  if (!agent) throw new AlfredError('unknown_agent', `There is no agent "${task.agent}" in this version.`);
  const superseded = new AbortController();
  const either = linkAbort([cancelled, superseded.signal]);
  const append = async (text: string) => {
    if (!(await events.appendText(task, at, text))) superseded.abort(new AlfredError('superseded'));
  };
  const writer = createTextWriter(append, (error) =>
    log.warn({ err: error, taskId: task.taskId, step: at.step }, 'streamed text could not be written yet'),
  );
  const request = {
    model: call.model,
    instructions: agent.instructions,
    messages,
    tools: agent.tools.flatMap((name) => tools[name] ?? []),
    maxOutputTokens,
    idempotencyKey: `${task.taskId}/${at.step}`,
  };
  try {
    for await (const event of call.provider.stream(request, either.signal)) {
      if (event.type === 'usage') call.uses(event.usage);
      else if (event.type === 'end') call.ends(event.parts, event.stopReason);
      else {
        call.append(event.text);
        writer.write(event.text);
      }
    }
  } catch (error) {
    // A provider says in its own words that it was stopped.
    superseded.signal.throwIfAborted();
    throw error;
  } finally {
    either.release();
    await writer.close();
  }
  superseded.signal.throwIfAborted();
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
