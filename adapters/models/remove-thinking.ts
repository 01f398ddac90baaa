import type { AssistantPart } from '../../contract/messages.ts';
import type { ModelEvent } from '../../contract/ports/index.ts';

const openingTags = ['<think>', '<thinking>'];

/**
 * Removes what a model thinks aloud at the beginning of its text: `<think>…</think>` or `<thinking>…</thinking>`, as
 * models write it whose server does not separate thinking from text. Thinking that is never closed goes on to the end
 * of the text. Tags in the middle of a text stay: there they are part of the answer.
 */
export class ThinkingFilter {
  private state: 'beginning' | 'thinking' | 'answer' = 'beginning';
  /** Received text that may still become a tag. */
  private pending = '';
  private closingTag = '';
  private hasRemoved = false;

  /** @returns the text that belongs to the answer for certain */
  append(text: string): string {
    if (this.state === 'answer') return text;
    this.pending += text;
    return this.state === 'thinking' ? this.skipThinking() : this.readBeginning();
  }

  /** Ends the text. @returns what was still pending */
  finish(): string {
    if (this.state === 'thinking' || (this.hasRemoved && !this.pending.trim())) return '';
    this.state = 'answer';
    return this.takePending();
  }

  private readBeginning(): string {
    const start = this.pending.trimStart().toLowerCase();
    const opened = openingTags.find((tag) => start.startsWith(tag));
    if (opened) {
      this.state = 'thinking';
      this.hasRemoved = true;
      this.closingTag = opened.replace('<', '</');
      this.pending = this.pending.trimStart().slice(opened.length);
      return this.skipThinking();
    }
    if (openingTags.some((tag) => tag.startsWith(start))) return '';
    this.state = 'answer';
    return this.takePending();
  }

  private skipThinking(): string {
    const end = this.pending.toLowerCase().indexOf(this.closingTag);
    if (end === -1) {
      // The end may be the beginning of the closing tag.
      this.pending = this.pending.slice(-this.closingTag.length);
      return '';
    }
    this.pending = this.pending.slice(end + this.closingTag.length);
    this.state = 'beginning';
    return this.readBeginning();
  }

  private takePending(): string {
    const text = this.hasRemoved ? this.pending.trimStart() : this.pending;
    this.pending = '';
    return text;
  }
}

/** Removes thinking from streamed text. */
export async function* removeThinking(events: AsyncIterable<ModelEvent>): AsyncIterable<ModelEvent> {
  const filter = new ThinkingFilter();
  for await (const event of events) {
    if (event.type === 'text') yield* textEvent(filter.append(event.text));
    else yield event;
  }
  yield* textEvent(filter.finish());
}

/** The parts of a response without thinking. A text that held nothing else is left out. */
export function partsWithoutThinking(parts: AssistantPart[]): AssistantPart[] {
  const filter = new ThinkingFilter();
  const lastText = parts.findLastIndex(({ type }) => type === 'text');
  return parts.flatMap((part, i): AssistantPart[] => {
    if (part.type !== 'text') return [part];
    const text = filter.append(part.text) + (i === lastText ? filter.finish() : '');
    return text ? [{ ...part, text }] : [];
  });
}

function* textEvent(text: string): Iterable<ModelEvent> {
  if (text) yield { type: 'text', text };
}
