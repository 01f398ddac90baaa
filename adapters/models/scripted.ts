import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import type { ModelEvent, ModelProvider, ModelRequest } from '../../contract/ports/index.ts';
import { watchSilence } from './idle.ts';
import { beforeFirstToken, paced, type Pace } from './pace.ts';
import { parseScript, readScript, type ParsedScript, type Script, type ScriptTurn } from './script.ts';
import { stepIn } from './step.ts';
import { silent } from './stream-answer.ts';
import { estimatedUsage, type TokenCounts } from './token-estimate.ts';

type Options = ({ script: Script } | { file: string }) & {
  /** Longest silence before a call is given up, in milliseconds; a turn's pace may make one. */
  idleMs?: number | undefined;
};

const name = 'scripted';

/**
 * Answers as a script says, for tests, demonstrations and load: step n gets turn n, in every process and every attempt.
 * Costs nothing; tokens that the script does not name are a quarter of the characters.
 *
 * @throws ConfigError when the file is no script; ZodError when the object is none
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
        yield* watch.over(eventsOf(turn, step, request, watch.signal));
      } catch (error) {
        throw watch.isSilent() && !signal.aborted ? silent(name, idleMs, error) : error;
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
  const at = stepIn(idempotencyKey);
  if (!at) throw new AlfredError('model_rejected', `"${idempotencyKey}" names no step of a script (task/step).`);
  const { step, suffix } = at;
  if (suffix === 'summary') return { step, turn: summary ?? { text: 'A summary of what was said.', repeat: 1 } };
  let last = 0;
  const turn = step > 0 ? turns.find(({ repeat }) => (last += repeat) >= step) : undefined;
  if (!turn) throw new AlfredError('model_rejected', `The script has no turn ${step}; it has ${last}.`);
  return { turn, step };
}

async function* eventsOf(
  turn: ScriptTurn,
  step: number,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncIterable<ModelEvent> {
  const pace = { firstTokenMs: turn.firstTokenMs ?? 0, tokensPerS: turn.tokensPerS ?? 0 };
  await beforeFirstToken(pace, signal);
  if (turn.limits) yield { type: 'limits', limits: turn.limits };
  const { text = '' } = turn;
  // Who stops before the end knows what the input was.
  if (text.length > 0) yield { type: 'usage', usage: usageOf(turn, request, []) };
  for await (const piece of piecesOf(text, step, pace, signal)) {
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
  pace: Pace,
  signal: AbortSignal,
): AsyncIterable<string> {
  for (const piece of [text].flat()) yield* paced(atStep(piece, step), pace, signal);
}

function partsOf({ text = '', calls = [] }: ScriptTurn, step: number): AssistantPart[] {
  const whole = atStep([text].flat().join(''), step);
  return [
    ...(whole ? [{ type: 'text' as const, text: whole }] : []),
    ...calls.map(({ tool, arguments: given, malformed }, i) => ({
      type: 'tool_call' as const,
      callId: `scripted-${step}-${i + 1}`,
      tool,
      arguments: malformed === undefined ? valueAtStep(given, step) : {},
      ...(malformed === undefined ? {} : { malformed: atStep(malformed, step) }),
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

const atStep = (text: string, step: number) => text.replaceAll('{{step}}', String(step));

/** The value with the step filled in, in every string of it. */
function valueAtStep(value: JsonValue, step: number): JsonValue {
  if (typeof value === 'string') return atStep(value, step);
  if (Array.isArray(value)) return value.map((item) => valueAtStep(item, step));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, valueAtStep(item, step)]));
}
