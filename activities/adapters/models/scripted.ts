import { setTimeout as sleep } from 'node:timers/promises';
import { AlfredError } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { AssistantPart } from '../../../contract/messages.ts';
import type { ModelEvent, ModelProvider } from '../../ports.ts';
import { estimateTokens } from './token-estimate.ts';
import { parseScript, readScript, type Script, type ScriptTurn } from './script.ts';

type Options = ({ script: Script } | { file: string }) & {
  /** Longest silence before a call is given up, in milliseconds; silence is what `firstTokenMs` and `tokensPerS` make. */
  idleMs?: number | undefined;
};

/**
 * A model that follows a script, for tests, demonstrations and load. The turn is chosen by the step in the request's key,
 * so it is the same in every process and at every attempt. Its calls cost what ALFRED_MODELS says.
 *
 * @throws AlfredError `model_unconfigured` when the script cannot be read or is none
 */
export function createScriptedProvider({ idleMs = 2 * 60_000, ...source }: Options): ModelProvider {
  const { turns, summary } = 'file' in source ? readScript(source.file) : parseScript(source.script, 'The script');
  /** After which step each turn ends. */
  const ends: number[] = [];
  for (const { repeat } of turns) ends.push((ends.at(-1) ?? 0) + repeat);

  function turnFor(key: string): { step: number; turn: ScriptTurn } {
    const [, digits, suffix] = /^.+?\/(\d+)(?:\/(.+))?$/.exec(key) ?? [];
    if (!digits)
      throw new AlfredError(
        'model_rejected',
        `The script needs a key like <task>/<step> to find its turn, not "${key}".`,
      );
    const step = Number(digits);
    if (suffix === 'summary') return { step, turn: summary ?? { text: 'Summary by the script.', repeat: 1 } };
    const turn = step > 0 ? turns[ends.findIndex((end) => step <= end)] : undefined;
    if (!turn) throw new AlfredError('model_rejected', `The script has no turn ${step}; it ends after ${ends.at(-1)}.`);
    return { step, turn };
  }

  async function pause(ms: number, signal: AbortSignal) {
    await sleep(Math.min(ms, idleMs), undefined, { signal });
    if (ms > idleMs) throw new AlfredError('model_unavailable', `scripted was silent for ${idleMs / 1_000} s.`);
  }

  return {
    name: 'scripted',

    async *stream({ idempotencyKey, messages }, signal): AsyncIterable<ModelEvent> {
      signal.throwIfAborted();
      const { step, turn } = turnFor(idempotencyKey);
      const { limits, firstTokenMs = 0, tokensPerS = 0, error } = turn;
      if (firstTokenMs > 0) await pause(firstTokenMs, signal);
      if (limits) yield { type: 'limits', limits };
      const { inputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = turn.usage ?? {};
      const counted = {
        inputTokens: inputTokens ?? estimateTokens(JSON.stringify(messages).length),
        ...{ cacheReadTokens, cacheWriteTokens },
      };
      const usage = (output: string): ModelEvent => ({
        type: 'usage',
        usage: { ...counted, outputTokens: turn.usage?.outputTokens ?? estimateTokens(output.length) },
      });
      const pieces = piecesOf(turn, step);
      if (pieces.length > 0) yield usage('');
      for (const text of pieces) {
        if (tokensPerS > 0) await pause((1_000 * estimateTokens(text.length)) / tokensPerS, signal);
        yield { type: 'text', text };
        signal.throwIfAborted();
      }
      const parts = partsOf(turn, step, pieces.join(''));
      if (!error || parts.length > 0) yield usage(parts.map(written).join(''));
      if (error) throw new AlfredError(error.code, undefined, { retryAfterMs: error.retryAfterMs });
      yield { type: 'end', parts, stopReason: turn.stopReason ?? (turn.calls ? 'tools' : 'end') };
    },
  };
}

function piecesOf({ text = [], tokensPerS = 0 }: ScriptTurn, step: number): string[] {
  if (typeof text !== 'string') return text.map((piece) => atStep(piece, step));
  const whole = atStep(text, step);
  if (tokensPerS > 0) return whole.match(/\S+\s*|\s+/g) ?? [];
  return whole ? [whole] : [];
}

function partsOf({ calls = [] }: ScriptTurn, step: number, text: string): AssistantPart[] {
  return [
    ...(text ? [{ type: 'text' as const, text }] : []),
    ...calls.map(({ tool, arguments: given, malformed }, index) => ({
      type: 'tool_call' as const,
      callId: `call-${step}-${index}`,
      tool,
      arguments: valueAtStep(given ?? {}, step),
      ...(malformed === undefined ? {} : { malformed: atStep(malformed, step) }),
    })),
  ];
}

const written = (part: AssistantPart) =>
  part.type === 'text'
    ? part.text
    : part.type === 'tool_call'
      ? (part.malformed ?? JSON.stringify(part.arguments))
      : '';

const atStep = (text: string, step: number) => text.replaceAll('{{step}}', String(step));

/** The value with `{{step}}` filled in, in every string of it. */
function valueAtStep(value: JsonValue, step: number): JsonValue {
  if (typeof value === 'string') return atStep(value, step);
  if (Array.isArray(value)) return value.map((item) => valueAtStep(item, step));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, valueAtStep(item, step)]));
}
