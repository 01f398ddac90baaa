import type OpenAI from 'openai';
import type { AssistantPart } from '../../contract/messages.ts';
import type { ModelEvent, ModelRequest, StopReason, TokenCounts } from '../../contract/ports/index.ts';
import { estimatedOutputTokens, estimatedUsage } from './estimated-usage.ts';
import type { AnswerBuilder } from './stream-answer.ts';
import { ToolCallAssembler } from './tool-call-assembler.ts';
import { storedToolCalls } from './tool-calls.ts';

type Chunk = OpenAI.ChatCompletionChunk;
/** The official protocol has no field for reasoning. Compatible servers use one of two names. */
type Delta = Partial<OpenAI.ChatCompletionChunk.Choice.Delta> & { reasoning_content?: unknown; reasoning?: unknown };

/** Builds a response of Chat Completions from its chunks. */
export class OpenAiAnswer implements AnswerBuilder<Chunk> {
  private readonly request: ModelRequest;
  private readonly assembler = new ToolCallAssembler();
  private text = '';
  private refusal = '';
  private finishReason: string | undefined;
  private reportedUsage: OpenAI.CompletionUsage | undefined;
  /** Set with the first chunk. */
  private inputEstimate: TokenCounts | undefined;
  /** Characters of reasoning and tool calls. */
  private otherCharacters = 0;

  constructor(request: ModelRequest) {
    this.request = request;
  }

  *add({ choices, usage }: Partial<Chunk>): Iterable<ModelEvent> {
    if (usage) this.reportedUsage = usage;
    const choice = choices?.[0];
    if (!choice) return;
    if (choice.finish_reason) this.finishReason = choice.finish_reason;
    const delta = (choice.delta ?? {}) as Delta;
    if (!this.inputEstimate) {
      // The server counts tokens at the end only. A call that is aborted before is charged by this estimate.
      this.inputEstimate = estimatedUsage(this.request, 0);
      yield { type: 'usage', usage: this.inputEstimate };
    }
    for (const reasoning of [delta.reasoning_content, delta.reasoning])
      if (typeof reasoning === 'string') this.otherCharacters += reasoning.length;
    for (const piece of delta.tool_calls ?? []) this.otherCharacters += this.assembler.add(piece);
    if (delta.function_call) this.otherCharacters += this.assembler.add({ index: 0, function: delta.function_call });
    if (typeof delta.refusal === 'string') this.refusal += delta.refusal;
    if (typeof delta.content === 'string' && delta.content) {
      this.text += delta.content;
      yield { type: 'text', text: delta.content };
    }
  }

  usage(): TokenCounts | undefined {
    if (!this.inputEstimate) return undefined;
    const { prompt_tokens, completion_tokens, prompt_tokens_details: details } = this.reportedUsage ?? {};
    const characters = this.text.length + this.refusal.length + this.otherCharacters;
    const outputTokens = completion_tokens || estimatedOutputTokens(characters);
    if (!prompt_tokens) return { ...this.inputEstimate, outputTokens };
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
    // Some gateways report with these reasons that the model behind them broke off.
    const isBroken = this.finishReason === 'error' || this.finishReason === 'insufficient_system_resource';
    if (this.finishReason === undefined || isBroken) return undefined;
    const calls = storedToolCalls(this.request, this.assembler.calls);
    const parts: AssistantPart[] = [...(this.text ? [{ type: 'text' as const, text: this.text }] : []), ...calls];
    return { type: 'end', parts, stopReason: this.stopReason(calls.length > 0) };
  }

  private stopReason(hasCalls: boolean): StopReason {
    if (this.finishReason === 'content_filter' || this.refusal) return 'refusal';
    if (this.finishReason === 'length') return 'max_tokens';
    // Some servers report `stop` although there are calls.
    return hasCalls ? 'tools' : 'end';
  }
}
