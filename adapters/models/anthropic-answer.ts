import type Anthropic from '@anthropic-ai/sdk';
import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { AssistantPart, CitedPlace } from '../../contract/messages.ts';
import type { ModelEvent, ModelRequest, StopReason, TokenCounts } from '../../contract/ports/index.ts';
import { resolveCitation, searchResultsIn } from './anthropic-citations.ts';
import { CitationMarkerWriter } from './citation-marker-writer.ts';
import { estimatedOutputTokens } from './estimated-usage.ts';
import type { AnswerBuilder } from './stream-answer.ts';
import { storedToolCalls } from './tool-calls.ts';

/** A content block as far as it has been received. `input`: JSON text of a tool call. `places`: what the text cites. */
type PartialBlock = { block: Anthropic.ContentBlock; input: string; places: CitedPlace[] };

/**
 * Builds a response of the Messages API from its events. Unknown kinds of events and blocks are ignored, as the API's
 * versioning policy asks for.
 */
export class AnthropicAnswer implements AnswerBuilder<Anthropic.RawMessageStreamEvent> {
  private readonly request: ModelRequest;
  private readonly blocks = new Map<number, PartialBlock>();
  private readonly searchResults: ReturnType<typeof searchResultsIn>;
  /** Present when the request contains search results. */
  private readonly markerWriter: CitationMarkerWriter | undefined;
  /** Numbers of the passages that the current block cites. */
  private citedNumbers: number[] = [];
  /** With citations, Claude splits a text into many blocks. They are joined into this one. */
  private joinedText: PartialBlock | undefined;
  private counts: TokenCounts | undefined;
  private stopReason: string | null = null;
  /** Characters of text, thinking and tool input so far. */
  private characters = 0;
  private isComplete = false;

  constructor(request: ModelRequest) {
    this.request = request;
    this.searchResults = searchResultsIn(request);
    this.markerWriter = this.searchResults.length > 0 ? new CitationMarkerWriter() : undefined;
  }

  *add(event: Anthropic.RawMessageStreamEvent): Iterable<ModelEvent> {
    switch (event.type) {
      case 'message_start':
        yield this.updateCounts(event.message.usage);
        break;
      case 'content_block_start':
        yield* this.beginBlock(event);
        break;
      case 'content_block_delta':
        yield* this.applyDelta(event);
        break;
      case 'content_block_stop':
        this.markerWriter?.endBlock(this.citedNumbers);
        this.citedNumbers = [];
        break;
      case 'message_delta':
        this.stopReason = event.delta.stop_reason;
        yield this.updateCounts(event.usage);
        break;
      case 'message_stop':
        yield* this.endText();
        this.isComplete = true;
    }
  }

  usage(): TokenCounts | undefined {
    if (!this.counts || this.isComplete) return this.counts;
    // Output tokens are counted at the end only. A response that broke off is charged by the text that was received.
    const outputTokens = Math.max(this.counts.outputTokens, estimatedOutputTokens(this.characters));
    return { ...this.counts, outputTokens };
  }

  end(): (ModelEvent & { type: 'end' }) | undefined {
    if (!this.isComplete) return undefined;
    return { type: 'end', stopReason: stopReasonOf(this.stopReason), parts: this.parts() };
  }

  private *beginBlock({ index, content_block: block }: Anthropic.RawContentBlockStartEvent): Iterable<ModelEvent> {
    if (block.type !== 'text') {
      yield* this.endText();
      this.blocks.set(index, { block: { ...block }, input: '', places: [] });
      return;
    }
    const partial = this.joinedText ?? { block: { ...block, text: '' }, input: '', places: [] };
    if (this.markerWriter) this.joinedText = partial;
    this.blocks.set(index, partial);
    for (const citation of block.citations ?? []) this.addCitation(partial, citation);
    yield* this.addText(partial, block.text);
  }

  private *applyDelta({ index, delta }: Anthropic.RawContentBlockDeltaEvent): Iterable<ModelEvent> {
    const partial = this.blocks.get(index);
    if (!partial) return;
    const { block } = partial;
    if (delta.type === 'text_delta' && block.type === 'text') {
      yield* this.addText(partial, delta.text);
    } else if (delta.type === 'citations_delta') {
      this.addCitation(partial, delta.citation);
    } else if (delta.type === 'input_json_delta') {
      partial.input += delta.partial_json;
      this.characters += delta.partial_json.length;
    } else if (delta.type === 'thinking_delta' && block.type === 'thinking') {
      block.thinking += delta.thinking;
      this.characters += delta.thinking.length;
    } else if (delta.type === 'signature_delta' && block.type === 'thinking') {
      block.signature = delta.signature;
    }
  }

  private *addText(partial: PartialBlock, text: string): Iterable<ModelEvent> {
    this.characters += text.length;
    yield* emitText(partial, this.markerWriter ? this.markerWriter.append(text) : text);
  }

  private addCitation({ places }: PartialBlock, citation: Anthropic.TextCitation) {
    const cited = resolveCitation(citation, this.searchResults);
    if (!cited) return;
    this.citedNumbers.push(cited.n);
    if (cited.place) places.push(cited.place);
  }

  /** Ends the joined text and emits what the marker writer still holds. */
  private *endText(): Iterable<ModelEvent> {
    if (this.markerWriter && this.joinedText) yield* emitText(this.joinedText, this.markerWriter.finish());
    this.joinedText = undefined;
  }

  /** Counts are cumulative for the message. A count that is absent has not changed. */
  private updateCounts(usage: Partial<Anthropic.MessageDeltaUsage> = {}): ModelEvent {
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
    const rawCalls = blocks.flatMap(({ block, input }) =>
      // Some servers send the whole input with the beginning of the block.
      block.type === 'tool_use'
        ? [{ id: block.id, tool: block.name, arguments: input || JSON.stringify(block.input) }]
        : [],
    );
    const calls = storedToolCalls(this.request, rawCalls);
    return blocks.flatMap(({ block, places }): AssistantPart[] => {
      if (block.type === 'text')
        return block.text
          ? [{ type: 'text', text: block.text, ...(places.length > 0 ? { citations: places } : {}) }]
          : [];
      if (block.type === 'tool_use') return calls.splice(0, 1);
      // The API wants thinking blocks back unchanged.
      return [{ type: 'opaque', provider: 'anthropic', value: block as unknown as JsonValue }];
    });
  }
}

function* emitText({ block }: PartialBlock, text: string): Iterable<ModelEvent> {
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
      // Pauses are for tools that Anthropic runs. Alfred offers none, and continuing would exceed the reserved budget.
      throw new AlfredError('model_output_limit', 'anthropic paused before the answer was whole.');
    default:
      return 'end';
  }
}
