import { AlfredError } from '../../../contract/errors.ts';
import type { AssistantPart } from '../../../contract/messages.ts';
import type { ModelEvent, ModelProvider, ModelRequest } from '../../ports.ts';
import { beforeFirstToken, paced } from './pace.ts';
import type { ScriptTurn } from './script.ts';
import { stepIn } from './step.ts';
import { estimatedUsage, type TokenCounts } from './token-estimate.ts';

/**
 * Answers as a script says, for tests, demonstrations and load: step n gets turn n, in every process and every attempt.
 * Costs nothing; tokens that the script does not name are a quarter of the characters.
 *
 * @throws AlfredError `model_rejected` when the script has no such turn, and whatever a turn says
 */
export const createScriptedProvider = (script: ScriptTurn[]): ModelProvider => ({
  name: 'scripted',

  async *stream(request, signal): AsyncIterable<ModelEvent> {
    const { turn, step, suffix } = turnOf(script, request);
    const pace = { firstTokenMs: turn.firstTokenMs ?? 0, tokensPerS: turn.tokensPerS ?? 0 };
    await beforeFirstToken(pace, signal);
    const { text, calls } = said(turn, request, suffix);
    for await (const piece of paced(text, pace, signal)) yield { type: 'text', text: piece };
    const parts: AssistantPart[] = [
      ...(text ? [{ type: 'text' as const, text }] : []),
      ...calls.map((call, i) => ({ type: 'tool_call' as const, callId: `scripted-${step}-${i + 1}`, ...call })),
    ];
    yield { type: 'usage', usage: usageOf(turn, request, parts) };
    if (turn.error) {
      const { code, message, retryAfterMs } = turn.error;
      throw new AlfredError(code, message, { retryAfterMs });
    }
    yield { type: 'end', parts, stopReason: turn.stopReason ?? (calls.length > 0 ? 'tools' : 'end') };
  },

  countTokens: async (request) => usageOf(turnOf(script, request).turn, request, []).inputTokens,
});

function turnOf(script: ScriptTurn[], { idempotencyKey }: ModelRequest) {
  const at = stepIn(idempotencyKey);
  if (!at) throw new AlfredError('model_rejected', `"${idempotencyKey}" names no step of a script (task/step).`);
  let last = 0;
  const turn = script.find(({ repeat }) => (last += repeat) >= at.step);
  if (!turn) throw new AlfredError('model_rejected', `The script has no turn ${at.step}.`);
  return { turn, ...at };
}

/** A summary is words, also at a step whose turn has none. */
function said({ text = '', calls = [] }: ScriptTurn, { messages }: ModelRequest, suffix: string | undefined) {
  if (suffix !== 'summary') return { text, calls: calls.map(callOf) };
  return { text: text || `A summary of ${messages.length - 1} messages.`, calls: [] };
}

const callOf = ({ malformed, ...call }: NonNullable<ScriptTurn['calls']>[number]) =>
  malformed === undefined ? call : { ...call, malformed };

function usageOf({ usage = {} }: ScriptTurn, request: ModelRequest, parts: AssistantPart[]): TokenCounts {
  const estimated = estimatedUsage(request, parts.length > 0 ? JSON.stringify(parts).length : 0);
  return {
    inputTokens: usage.inputTokens ?? estimated.inputTokens,
    cacheReadTokens: usage.cacheReadTokens ?? 0,
    cacheWriteTokens: usage.cacheWriteTokens ?? 0,
    outputTokens: usage.outputTokens ?? estimated.outputTokens,
  };
}
