import type Anthropic from '@anthropic-ai/sdk';
import { AlfredError } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { AssistantPart } from '../../../contract/messages.ts';
import type { ModelEvent, ModelRequest, StopReason } from '../../ports.ts';
import type { Answer } from './stream-answer.ts';
import { estimateTokens, type TokenCounts } from './token-estimate.ts';
import { keptCalls } from './tool-calls.ts';

/** A block, and the text of its input, which comes in pieces. */
type Growing = { block: Anthropic.ContentBlock; input: string };

/** A response of the Messages API, put together from its events. Events and blocks of kinds that came later are no fault. */
export class AnthropicAnswer implements Answer<Anthropic.RawMessageStreamEvent> {
  private readonly request: ModelRequest;
  private readonly blocks = new Map<number, Growing>();
  private counts: TokenCounts | undefined;
  private stopReason: string | null = null;
  private characters = 0;
  private isWhole = false;

  constructor(request: ModelRequest) {
    this.request = request;
  }

  *take(event: Anthropic.RawMessageStreamEvent): Iterable<ModelEvent> {
    switch (event.type) {
      case 'message_start':
        yield this.count(event.message.usage);
        break;
      case 'content_block_start':
        this.blocks.set(event.index, { block: { ...event.content_block }, input: '' });
        if (event.content_block.type === 'text') yield* this.say(event.content_block.text);
        break;
      case 'content_block_delta':
        yield* this.grow(event);
        break;
      case 'message_delta':
        this.stopReason = event.delta.stop_reason;
        yield this.count(event.usage);
        break;
      case 'message_stop':
        this.isWhole = true;
    }
  }

  usage(): TokenCounts | undefined {
    if (!this.counts || this.isWhole) return this.counts;
    // What broke off was counted at its beginning only.
    const outputTokens = Math.max(this.counts.outputTokens, estimateTokens(this.characters));
    return { ...this.counts, outputTokens };
  }

  end(): (ModelEvent & { type: 'end' }) | undefined {
    if (!this.isWhole) return undefined;
    return { type: 'end', stopReason: stopReasonOf(this.stopReason), parts: this.parts() };
  }

  private *grow({ index, delta }: Anthropic.RawContentBlockDeltaEvent): Iterable<ModelEvent> {
    const growing = this.blocks.get(index);
    if (!growing) return;
    const { block } = growing;
    if (delta.type === 'text_delta' && block.type === 'text') {
      block.text += delta.text;
      yield* this.say(delta.text);
    } else if (delta.type === 'input_json_delta') {
      growing.input += delta.partial_json;
      this.characters += delta.partial_json.length;
    } else if (delta.type === 'thinking_delta' && block.type === 'thinking') {
      block.thinking += delta.thinking;
      this.characters += delta.thinking.length;
    } else if (delta.type === 'signature_delta' && block.type === 'thinking') {
      block.signature = delta.signature;
    }
  }

  private *say(text: string): Iterable<ModelEvent> {
    this.characters += text.length;
    if (text) yield { type: 'text', text };
  }

  /** Counts are of the whole message so far; one that is left out has not changed. */
  private count(usage: Partial<Anthropic.MessageDeltaUsage> = {}): ModelEvent {
    this.counts = {
      inputTokens: usage.input_tokens ?? this.counts?.inputTokens ?? 0,
      cacheReadTokens: usage.cache_read_input_tokens ?? this.counts?.cacheReadTokens ?? 0,
      cacheWriteTokens: usage.cache_creation_input_tokens ?? this.counts?.cacheWriteTokens ?? 0,
      outputTokens: usage.output_tokens ?? this.counts?.outputTokens ?? 0,
    };
    return { type: 'usage', usage: this.counts };
  }

  private parts(): AssistantPart[] {
    const blocks = [...this.blocks.values()];
    const calls = keptCalls(
      this.request,
      blocks.flatMap(({ block, input }) =>
        // Some servers send the whole input with the block's beginning.
        block.type === 'tool_use'
          ? [{ id: block.id, tool: block.name, arguments: input || JSON.stringify(block.input) }]
          : [],
      ),
    );
    return blocks.flatMap(({ block }): AssistantPart[] => {
      if (block.type === 'text') return block.text ? [{ type: 'text', text: block.text }] : [];
      if (block.type === 'tool_use') return calls.splice(0, 1);
      // Thinking must go back exactly as it came.
      return [{ type: 'opaque', provider: 'anthropic', value: block as unknown as JsonValue }];
    });
  }
}

function stopReasonOf(reason: string | null): StopReason {
  switch (reason) {
    case 'tool_use':
      return 'tools';
    case 'max_tokens':
    case 'refusal':
      return reason;
    case 'model_context_window_exceeded':
      throw new AlfredError('model_context_overflow', 'The conversation and its answer no longer fit the model.');
    case 'pause_turn':
      // It pauses for tools that run on its own side. Alfred offers none, and to go on would cost more than was reserved.
      throw new AlfredError('model_output_limit', 'anthropic paused before the answer was whole.');
    default:
      return 'end';
  }
}
