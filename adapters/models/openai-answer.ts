import type OpenAI from 'openai';
import type { AssistantPart } from '../../contract/messages.ts';
import type { ModelEvent, ModelRequest, StopReason } from '../../contract/ports/index.ts';
import { CallAssembler } from './openai-calls.ts';
import type { Answer } from './stream-answer.ts';
import { estimatedUsage, estimateTokens, type TokenCounts } from './token-estimate.ts';
import { keptCalls } from './tool-calls.ts';

type Chunk = OpenAI.ChatCompletionChunk;
/** Reasoning has no place in the official protocol; servers send it under either name. */
type Delta = Partial<OpenAI.ChatCompletionChunk.Choice.Delta> & { reasoning_content?: unknown; reasoning?: unknown };

/** A response of Chat Completions, put together from its chunks. */
export class OpenAiAnswer implements Answer<Chunk> {
  private readonly request: ModelRequest;
  private readonly calls = new CallAssembler();
  private text = '';
  private refusal = '';
  private finish: string | undefined;
  private counted: OpenAI.CompletionUsage | undefined;
  /** Made with the first chunk. */
  private estimated: TokenCounts | undefined;
  /** Characters that came beside the text: reasoning, calls. */
  private otherCharacters = 0;

  constructor(request: ModelRequest) {
    this.request = request;
  }

  *take({ choices, usage }: Partial<Chunk>): Iterable<ModelEvent> {
    if (usage) this.counted = usage;
    const choice = choices?.[0];
    if (!choice) return;
    if (choice.finish_reason) this.finish = choice.finish_reason;
    const delta = (choice.delta ?? {}) as Delta;
    if (!this.estimated) {
      // The tokens are counted at the end only; who stops before knows what the input may have been.
      this.estimated = estimatedUsage(this.request, 0);
      yield { type: 'usage', usage: this.estimated };
    }
    for (const reasoning of [delta.reasoning_content, delta.reasoning])
      if (typeof reasoning === 'string') this.otherCharacters += reasoning.length;
    for (const piece of delta.tool_calls ?? []) this.otherCharacters += this.calls.take(piece);
    if (delta.function_call) this.otherCharacters += this.calls.take({ index: 0, function: delta.function_call });
    if (typeof delta.refusal === 'string') this.refusal += delta.refusal;
    if (typeof delta.content === 'string' && delta.content) {
      this.text += delta.content;
      yield { type: 'text', text: delta.content };
    }
  }

  usage(): TokenCounts | undefined {
    if (!this.estimated) return undefined;
    const { prompt_tokens, completion_tokens, prompt_tokens_details: details } = this.counted ?? {};
    const characters = this.text.length + this.refusal.length + this.otherCharacters;
    const outputTokens = completion_tokens || estimateTokens(characters);
    if (!prompt_tokens) return { ...this.estimated, outputTokens };
    const cacheReadTokens = details?.cached_tokens ?? 0;
    const cacheWriteTokens = details?.cache_write_tokens ?? 0;
    return {
      inputTokens: Math.max(0, prompt_tokens - cacheReadTokens - cacheWriteTokens),
      cacheReadTokens,
      cacheWriteTokens,
      outputTokens,
    };
  }

  end(): (ModelEvent & { type: 'end' }) | undefined {
    // Gateways tell so that the model behind them broke off.
    const isBroken = this.finish === 'error' || this.finish === 'insufficient_system_resource';
    if (this.finish === undefined || isBroken) return undefined;
    const calls = keptCalls(this.request, this.calls.calls);
    const parts: AssistantPart[] = [...(this.text ? [{ type: 'text' as const, text: this.text }] : []), ...calls];
    return { type: 'end', parts, stopReason: this.stopReason(calls.length > 0) };
  }

  private stopReason(callsTools: boolean): StopReason {
    if (this.finish === 'content_filter' || this.refusal) return 'refusal';
    if (this.finish === 'length') return 'max_tokens';
    // Some servers say `stop` when there are calls.
    return callsTools ? 'tools' : 'end';
  }
}
