import type OpenAI from 'openai';
import { objectIn, type WrittenCall } from './tool-calls.ts';

/** A piece of a call as servers send it: the SDK's type is what OpenAI sends. */
type CallPiece = Partial<Omit<OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall, 'function'>> & {
  function?: { name?: string | null; arguments?: unknown } | null;
};

/**
 * Puts tool calls together from their pieces. OpenAI names the call of a piece by its index; other servers leave out the
 * index or the ids, send index 0 for every call, repeat the name in each piece, or send a call whole, its arguments even
 * as an object.
 */
export class CallAssembler {
  readonly calls: WrittenCall[] = [];
  private readonly byIndex = new Map<number, WrittenCall>();

  /** @returns how many characters it brought */
  take(piece: CallPiece): number {
    const name = piece.function?.name ?? '';
    const given = piece.function?.arguments ?? '';
    const text = typeof given === 'string' ? given : JSON.stringify(given);
    const call = this.callOf(piece, name) ?? this.begin(piece.index);
    call.id ||= piece.id;
    call.tool ||= name;
    call.arguments += text;
    return name.length + text.length;
  }

  private callOf({ index, id }: CallPiece, name: string): WrittenCall | undefined {
    const candidate = index === undefined ? this.calls.at(-1) : this.byIndex.get(index);
    if (!candidate || isSame(candidate, id, name)) return candidate;
    // A new id that names no tool goes on with the call before: some servers make an id for every piece.
    return this.calls.find((call) => id && call.id === id) ?? (name ? undefined : candidate);
  }

  private begin(index: number | undefined): WrittenCall {
    const call: WrittenCall = { tool: '', arguments: '' };
    this.calls.push(call);
    if (index !== undefined) this.byIndex.set(index, call);
    return call;
  }
}

function isSame(call: WrittenCall, id: string | undefined, name: string): boolean {
  if (id && call.id) return id === call.id;
  if (!name || !call.tool) return true;
  return name === call.tool && objectIn(call.arguments) === undefined;
}
