import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelEvent, ModelProvider, ModelRequest, StopReason } from '../../../contract/ports/index.ts';
import { AlfredError } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { AssistantPart } from '../../../contract/messages.ts';

export type ScriptedTurn = {
  /** The pieces of the text. */
  text?: string[];
  calls?: { tool: string; arguments: JsonValue; callId?: string }[];
  stopReason?: StopReason;
  /** Thrown after the text. */
  error?: Error;
  /** Awaited before the response ends. Its signal aborts with the call. */
  until?: (signal: AbortSignal) => Promise<unknown>;
  /** Pieces of the text that come after `until`. */
  rest?: string[];
  /** Default 10 input and 5 output tokens. ALFRED_MODELS has their prices. */
  usage?: { inputTokens?: number; outputTokens?: number; cacheReadTokens?: number; cacheWriteTokens?: number };
};

/**
 * A model that follows a script: a list of turns, or a function of the request and its number. It throws when the
 * script has no further turn, and records every request.
 */
export function createScriptedModel(script: ScriptedTurn[] | ((request: ModelRequest, call: number) => ScriptedTurn)) {
  const requests: ModelRequest[] = [];
  const provider: ModelProvider = {
    name: 'scripted',
    async *stream(request, signal): AsyncIterable<ModelEvent> {
      const call = requests.push(request);
      const turn = typeof script === 'function' ? script(request, call) : script[call - 1];
      if (!turn) throw new AlfredError('model_rejected', `The script has no turn ${call}.`);
      for (const text of turn.text ?? []) {
        yield { type: 'text', text };
        await sleep(0, undefined, { signal });
      }
      const usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0, ...turn.usage };
      yield { type: 'usage', usage };
      await turn.until?.(signal);
      for (const text of turn.rest ?? []) yield { type: 'text', text };
      if (turn.error) throw turn.error;
      const parts: AssistantPart[] = [
        ...(turn.text ? [{ type: 'text' as const, text: [...turn.text, ...(turn.rest ?? [])].join('') }] : []),
        ...(turn.calls ?? []).map((made, i) => ({
          type: 'tool_call' as const,
          callId: `call-${request.messages.length}-${i}`,
          ...made,
        })),
      ];
      yield { type: 'end', parts, stopReason: turn.stopReason ?? (turn.calls ? 'tools' : 'end') };
    },
  };
  return { provider, requests };
}
