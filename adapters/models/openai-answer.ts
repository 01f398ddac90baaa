import type OpenAI from 'openai';
import type { AssistantPart } from '../../contract/messages.ts';
import type { ModelEvent, ModelRequest, StopReason, TokenCounts } from '../../contract/ports/index.ts';
import { estimatedOutputTokens, estimatedUsage } from './estimated-usage.ts';
import type { AnswerBuilder } from './stream-answer.ts';
import { ReasoningFields } from './openai-fields.ts';
import { ToolCallAssembler } from './tool-call-assembler.ts';
import { storedToolCalls } from './tool-calls.ts';

/** `isDone`: the server marked the end of its stream; see `normalizeEventStream`. */
export type Chunk = OpenAI.ChatCompletionChunk & { isDone?: true };
type Delta = Partial<Omit<OpenAI.ChatCompletionChunk.Choice.Delta, 'content'>> & { content?: unknown };
/** A server that does not stream sends a whole message instead of deltas. */
type Choice = Partial<OpenAI.ChatCompletionChunk.Choice> & { message?: Delta };

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
  private isDone = false;
  private readonly reasoning = new ReasoningFields();
  /** Characters of reasoning and tool calls. */
  private otherCharacters = 0;

  constructor(request: ModelRequest) {
    this.request = request;
  }

  *add({ choices, usage, isDone }: Partial<Chunk>): Iterable<ModelEvent> {
    if (usage) this.reportedUsage = usage;
    if (isDone) this.isDone = true;
    const choice = choices?.[0] as Choice | undefined;
    if (!choice) return;
    if (choice.finish_reason) this.finishReason = choice.finish_reason;
    const delta: Delta = choice.delta ?? choice.message ?? {};
    if (!this.inputEstimate) {
      // The server counts tokens at the end only. A call that is aborted before is charged by this estimate.
      this.inputEstimate = estimatedUsage(this.request, 0);
      yield { type: 'usage', usage: this.inputEstimate };
    }
    this.otherCharacters += this.reasoning.add(delta);
    for (const piece of delta.tool_calls ?? []) this.otherCharacters += this.assembler.add(piece);
    if (delta.function_call) this.otherCharacters += this.assembler.add({ index: 0, function: delta.function_call });
    if (typeof delta.refusal === 'string') this.refusal += delta.refusal;
    const { text, otherCharacters } = readContent(delta.content);
    this.otherCharacters += otherCharacters;
    if (!text) return;
    this.text += text;
    yield { type: 'text', text };
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
    // Some servers end their stream without a reason.
    if ((this.finishReason === undefined && !this.isDone) || isBroken) return undefined;
    const calls = storedToolCalls(this.request, this.assembler.calls);
    const reasoning = this.reasoning.fields();
    // Reasoning is sent back only in turns with calls: elsewhere some servers refuse it.
    const isInToolTurn = calls.length > 0 || hasCallsInTurn(this.request);
    const parts: AssistantPart[] = [
      ...(reasoning && isInToolTurn ? [{ type: 'opaque' as const, provider: 'openai', value: reasoning }] : []),
      ...(this.text ? [{ type: 'text' as const, text: this.text }] : []),
      ...calls,
    ];
    return { type: 'end', parts, stopReason: this.stopReason(calls.length > 0) };
  }

  private stopReason(hasCalls: boolean): StopReason {
    if (this.finishReason === 'content_filter' || this.refusal) return 'refusal';
    if (this.finishReason === 'length') return 'max_tokens';
    // Some servers report `stop` although there are calls.
    return hasCalls ? 'tools' : 'end';
  }
}

/** Whether tools were called since the user's last message. A correction is not a message of the user. */
function hasCallsInTurn({ messages }: ModelRequest): boolean {
  const turnStart = messages.findLastIndex((message) => message.role === 'user' && message.because === undefined);
  return messages.slice(turnStart + 1).some(({ role }) => role === 'tool');
}

/**
 * The text of `content`, which some servers send as a list of parts. Parts that are not text, like thinking and
 * references, are not part of the answer.
 *
 * @returns `otherCharacters`: length of the parts that are not text
 */
function readContent(content: unknown): { text: string; otherCharacters: number } {
  if (typeof content === 'string') return { text: content, otherCharacters: 0 };
  const parts = Array.isArray(content) ? (content as unknown[]) : [];
  const texts = parts.map(textOfPart);
  const otherParts = parts.filter((_, i) => texts[i] === undefined);
  return {
    text: texts.join(''),
    otherCharacters: otherParts.length > 0 ? JSON.stringify(otherParts).length : 0,
  };
}

function textOfPart(part: unknown): string | undefined {
  if (typeof part === 'string') return part;
  if (typeof part !== 'object' || part === null) return undefined;
  const { type, text } = part as { type?: unknown; text?: unknown };
  return (type === undefined || type === 'text' || type === 'output_text') && typeof text === 'string'
    ? text
    : undefined;
}
