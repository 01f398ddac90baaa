import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import type { ModelEvent, ModelProvider, ModelRequest, TokenCounts } from '../../contract/ports/index.ts';
import { estimatedUsage } from './estimated-usage.ts';
import { parseCallKey, parseScript, readScript, type ParsedScript, type Script, type ScriptTurn } from './script.ts';
import { streamWords, waitForFirstToken, type SimulatedLatency } from './simulated-latency.ts';
import { silenceError } from './stream-answer.ts';
import { watchSilence } from './watch-silence.ts';

type Options = ({ script: Script } | { file: string }) & {
  /** Longest silence before a call is aborted, in milliseconds. A turn's simulated latency can exceed it. */
  idleMs?: number | undefined;
};

const name = 'scripted';

/**
 * Answers from a script, for tests, demonstrations and load tests: step n gets turn n, in every process and every
 * attempt. Costs nothing; token counts that the script does not set are estimates.
 *
 * @throws ConfigError when the file is not a valid script, ZodError when the object is not
 */
export function createScriptedProvider({ idleMs = 2 * 60_000, ...source }: Options): ModelProvider {
  const script = 'file' in source ? readScript(source.file) : parseScript(source.script);
  return {
    name,

    async *stream(request, signal): AsyncIterable<ModelEvent> {
      signal.throwIfAborted();
      const { turn, step } = turnOf(script, request);
      const watch = watchSilence(signal, idleMs);
      try {
        yield* watch.iterate(eventsOf(turn, step, request, watch.signal));
      } catch (error) {
        if (watch.signal.aborted) yield { type: 'uncounted' };
        throw watch.isSilent() && !signal.aborted ? silenceError(name, idleMs, error) : error;
      } finally {
        watch.release();
      }
    },

    countTokens: async (request) => usageOf(turnOf(script, request).turn, request, []).inputTokens,
  };
}

/** @throws AlfredError `model_rejected` when the script has no turn for the request */
function turnOf(
  { turns, summary }: ParsedScript,
  { idempotencyKey }: ModelRequest,
): { turn: ScriptTurn; step: number } {
  const callKey = parseCallKey(idempotencyKey);
  if (!callKey) throw new AlfredError('model_rejected', `"${idempotencyKey}" names no step of a script (task/step).`);
  const { step, suffix } = callKey;
  if (suffix === 'summary') return { step, turn: summary ?? { text: 'A summary of what was said.', repeat: 1 } };
  let lastStep = 0;
  for (const turn of step > 0 ? turns : []) {
    lastStep += turn.repeat;
    if (lastStep >= step) return { turn, step };
  }
  throw new AlfredError('model_rejected', `The script has no turn ${step}; it has ${lastStep}.`);
}

async function* eventsOf(
  turn: ScriptTurn,
  step: number,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncIterable<ModelEvent> {
  const latency = { firstTokenMs: turn.firstTokenMs ?? 0, tokensPerS: turn.tokensPerS ?? 0 };
  await waitForFirstToken(latency, signal);
  if (turn.limits) yield { type: 'limits', limits: turn.limits };
  const { text = '' } = turn;
  // A call that is aborted before the end is charged for its input.
  if (text.length > 0) yield { type: 'usage', usage: usageOf(turn, request, []) };
  for await (const piece of piecesOf(text, step, latency, signal)) {
    yield { type: 'text', text: piece };
    signal.throwIfAborted();
  }
  const parts = partsOf(turn, step);
  if (parts.length > 0 || !turn.error) yield { type: 'usage', usage: usageOf(turn, request, parts) };
  if (turn.error) {
    const { code, message, retryAfterMs } = turn.error;
    throw new AlfredError(code, message, { retryAfterMs });
  }
  yield { type: 'end', parts, stopReason: turn.stopReason ?? (turn.calls?.length ? 'tools' : 'end') };
}

async function* piecesOf(
  text: string | string[],
  step: number,
  latency: SimulatedLatency,
  signal: AbortSignal,
): AsyncIterable<string> {
  for (const piece of [text].flat()) yield* streamWords(fillStep(piece, step), latency, signal);
}

function partsOf({ text = '', calls = [] }: ScriptTurn, step: number): AssistantPart[] {
  const wholeText = fillStep([text].flat().join(''), step);
  return [
    ...(wholeText ? [{ type: 'text' as const, text: wholeText }] : []),
    ...calls.map(({ tool, arguments: callArguments, malformed }, i) => ({
      type: 'tool_call' as const,
      callId: `scripted-${step}-${i + 1}`,
      tool,
      arguments: malformed === undefined ? fillStepInValue(callArguments, step) : {},
      ...(malformed === undefined ? {} : { malformed: fillStep(malformed, step) }),
    })),
  ];
}

function usageOf({ usage = {} }: ScriptTurn, request: ModelRequest, parts: AssistantPart[]): TokenCounts {
  const { inputTokens, cacheReadTokens = 0, cacheWriteTokens = 0, outputTokens } = usage;
  if (inputTokens !== undefined && outputTokens !== undefined)
    return { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens };
  const estimated = estimatedUsage(request, parts.length > 0 ? JSON.stringify(parts).length : 0);
  return {
    inputTokens: inputTokens ?? estimated.inputTokens,
    cacheReadTokens,
    cacheWriteTokens,
    outputTokens: outputTokens ?? estimated.outputTokens,
  };
}

const fillStep = (text: string, step: number) => text.replaceAll('{{step}}', String(step));

/** A copy of the value with the step filled into every string. */
function fillStepInValue(value: JsonValue, step: number): JsonValue {
  if (typeof value === 'string') return fillStep(value, step);
  if (Array.isArray(value)) return value.map((item) => fillStepInValue(item, step));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillStepInValue(item, step)]));
}
