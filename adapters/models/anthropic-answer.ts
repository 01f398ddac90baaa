import type Anthropic from '@anthropic-ai/sdk';
import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { AssistantPart, CitedPlace } from '../../contract/messages.ts';
import type { ModelEvent, ModelRequest, StopReason } from '../../contract/ports/index.ts';
import { citedIn, searchResultsIn } from './anthropic-citations.ts';
import { MarkedText } from './marked-text.ts';
import type { Answer } from './stream-answer.ts';
import { estimateTokens, type TokenCounts } from './token-estimate.ts';
import { keptCalls } from './tool-calls.ts';

/** A block, the text of its input, which comes in pieces, and what it cites. */
type Growing = { block: Anthropic.ContentBlock; input: string; places: CitedPlace[] };

/** A response of the Messages API, put together from its events. Events and blocks of kinds that came later are no fault. */
export class AnthropicAnswer implements Answer<Anthropic.RawMessageStreamEvent> {
  private readonly request: ModelRequest;
  private readonly blocks = new Map<number, Growing>();
  private readonly results: ReturnType<typeof searchResultsIn>;
  /** Present when there is something to cite. */
  private readonly marked: MarkedText | undefined;
  /** Numbers that the block under way cites. */
  private numbers: number[] = [];
  /** The text under way, while there is something to cite: it comes in many blocks, and is one. */
  private text: Growing | undefined;
  private counts: TokenCounts | undefined;
  private stopReason: string | null = null;
  private characters = 0;
  private isWhole = false;

  constructor(request: ModelRequest) {
    this.request = request;
    this.results = searchResultsIn(request);
    this.marked = this.results.length > 0 ? new MarkedText() : undefined;
  }

  *take(event: Anthropic.RawMessageStreamEvent): Iterable<ModelEvent> {
    switch (event.type) {
      case 'message_start':
        yield this.count(event.message.usage);
        break;
      case 'content_block_start':
        yield* this.begin(event);
        break;
      case 'content_block_delta':
        yield* this.grow(event);
        break;
      case 'content_block_stop':
        this.marked?.endBlock(this.numbers);
        this.numbers = [];
        break;
      case 'message_delta':
        this.stopReason = event.delta.stop_reason;
        yield this.count(event.usage);
        break;
      case 'message_stop':
        yield* this.endText();
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

  private *begin({ index, content_block: block }: Anthropic.RawContentBlockStartEvent): Iterable<ModelEvent> {
    if (block.type !== 'text') {
      yield* this.endText();
      this.blocks.set(index, { block: { ...block }, input: '', places: [] });
      return;
    }
    const growing = this.text ?? { block: { ...block, text: '' }, input: '', places: [] };
    if (this.marked) this.text = growing;
    this.blocks.set(index, growing);
    for (const citation of block.citations ?? []) this.cite(growing, citation);
    yield* this.say(growing, block.text);
  }

  private *grow({ index, delta }: Anthropic.RawContentBlockDeltaEvent): Iterable<ModelEvent> {
    const growing = this.blocks.get(index);
    if (!growing) return;
    const { block } = growing;
    if (delta.type === 'text_delta' && block.type === 'text') {
      yield* this.say(growing, delta.text);
    } else if (delta.type === 'citations_delta') {
      this.cite(growing, delta.citation);
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

  private *say(growing: Growing, text: string): Iterable<ModelEvent> {
    this.characters += text.length;
    yield* show(growing, this.marked ? this.marked.say(text) : text);
  }

  private cite({ places }: Growing, citation: Anthropic.TextCitation) {
    const cited = citedIn(citation, this.results);
    if (!cited) return;
    this.numbers.push(cited.n);
    if (cited.place) places.push(cited.place);
  }

  private *endText(): Iterable<ModelEvent> {
    if (this.marked && this.text) yield* show(this.text, this.marked.end());
    this.text = undefined;
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
    const blocks = [...new Set(this.blocks.values())];
    const calls = keptCalls(
      this.request,
      blocks.flatMap(({ block, input }) =>
        // Some servers send the whole input with the block's beginning.
        block.type === 'tool_use'
          ? [{ id: block.id, tool: block.name, arguments: input || JSON.stringify(block.input) }]
          : [],
      ),
    );
    return blocks.flatMap(({ block, places }): AssistantPart[] => {
      if (block.type === 'text')
        return block.text
          ? [{ type: 'text', text: block.text, ...(places.length > 0 ? { citations: places } : {}) }]
          : [];
      if (block.type === 'tool_use') return calls.splice(0, 1);
      // Thinking must go back exactly as it came.
      return [{ type: 'opaque', provider: 'anthropic', value: block as unknown as JsonValue }];
    });
  }
}

function* show({ block }: Growing, text: string): Iterable<ModelEvent> {
  if (block.type === 'text') block.text += text;
  if (text) yield { type: 'text', text };
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
