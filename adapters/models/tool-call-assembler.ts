import type OpenAI from 'openai';
import type { JsonValue } from '../../contract/json.ts';
import { mergeFields, unknownFields } from './openai-fields.ts';
import { parseJsonObject, type RawToolCall } from './tool-calls.ts';

/** A piece of a tool call as compatible servers send it. The SDK's type describes OpenAI's own pieces only. */
type ToolCallPiece = Partial<Omit<OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall, 'function'>> & {
  function?: { name?: string | null; arguments?: unknown } | null;
};

/**
 * Assembles tool calls from streamed pieces. OpenAI identifies the call of a piece by its index. Other servers omit the
 * index or the ids, send index 0 for every call, repeat the name in each piece, or send a whole call at once, even with
 * its arguments as an object.
 */
export class ToolCallAssembler {
  readonly calls: RawToolCall[] = [];
  private readonly byIndex = new Map<number, RawToolCall>();

  /** @returns how many characters the piece added */
  add(piece: ToolCallPiece): number {
    const name = piece.function?.name ?? '';
    const argumentsPiece = piece.function?.arguments ?? '';
    const text = typeof argumentsPiece === 'string' ? argumentsPiece : JSON.stringify(argumentsPiece);
    const call = this.findCall(piece, name) ?? this.beginCall(piece.index);
    call.id ||= piece.id;
    call.tool ||= name;
    call.arguments += text;
    addUnknownFields(call, piece);
    return name.length + text.length;
  }

  /** The call that a piece continues; undefined when it begins a new one. */
  private findCall({ index, id }: ToolCallPiece, name: string): RawToolCall | undefined {
    const candidate = index === undefined ? this.calls.at(-1) : this.byIndex.get(index);
    if (!candidate || mayContinue(candidate, id, name)) return candidate;
    // A new id without a name continues the candidate: some servers give every piece a new id.
    return this.calls.find((call) => id && call.id === id) ?? (name ? undefined : candidate);
  }

  private beginCall(index: number | undefined): RawToolCall {
    const call: RawToolCall = { tool: '', arguments: '' };
    this.calls.push(call);
    if (index !== undefined) this.byIndex.set(index, call);
    return call;
  }
}

/** Keeps the fields of a piece that the protocol does not have, like a signature in `extra_content`. */
function addUnknownFields(call: RawToolCall, piece: ToolCallPiece) {
  const fields = unknownFields(piece, ['index', 'id', 'type', 'function']);
  const functionFields = unknownFields(piece.function ?? {}, ['name', 'arguments']);
  const added = { ...fields, ...(Object.keys(functionFields).length > 0 ? { function: functionFields } : {}) };
  if (Object.keys(added).length === 0) return;
  const before = (call.extra?.value ?? {}) as Record<string, JsonValue>;
  call.extra = { provider: 'openai', value: mergeFields(before, added) };
}

/**
 * Whether a piece with this id and name may belong to the call. A repeated name begins a new call once the arguments
 * are complete.
 */
function mayContinue(call: RawToolCall, id: string | undefined, name: string): boolean {
  if (id && call.id) return id === call.id;
  if (!name || !call.tool) return true;
  return name === call.tool && parseJsonObject(call.arguments) === undefined;
}
