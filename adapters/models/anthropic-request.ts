import type Anthropic from '@anthropic-ai/sdk';
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema';
import type { AssistantPart } from '../../contract/messages.ts';
import type { Message, ModelRequest } from '../../contract/ports/index.ts';
import { cites, resultContent } from './anthropic-citations.ts';
import { closedSchema, inWords } from './answer-schema.ts';
import { wireId, wireName } from './tool-calls.ts';
import { userWords } from './user-words.ts';

type Turn = { role: 'user' | 'assistant'; content: Anthropic.ContentBlockParam[] };
const ephemeral = { type: 'ephemeral' } as const;

/** A request as the Messages API and its token counting take it. */
export function promptOf(request: ModelRequest) {
  const { model, instructions, messages, tools, outputSchema } = request;
  const turns = turnsOf(messages, cites(request));
  keepPrefix(turns);
  const format = outputSchema && formatOf(outputSchema);
  const system = outputSchema && !format ? inWords(instructions, outputSchema) : instructions;
  return {
    model,
    // Tools stand before the system prompt, so that its end keeps both.
    ...(system ? { system: [{ type: 'text' as const, text: system, cache_control: ephemeral }] } : {}),
    ...offered(tools, turns),
    messages: turns,
    ...(format ? { output_config: { format } } : {}),
  } satisfies Anthropic.MessageCountTokensParams;
}

/**
 * Marks where the prompt is kept for the next request: at its end, and at the end of the request before, which is where
 * that one was kept. From a mark Anthropic looks back 20 blocks only, and a turn with many parallel calls has more.
 * With the system prompt that is three marks of the four that are allowed.
 */
function keepPrefix(turns: Turn[]) {
  for (const turn of turns.filter(({ role }) => role === 'user').slice(-2)) {
    const last = turn.content.at(-1);
    if (last) Object.assign(last, { cache_control: ephemeral });
  }
}

/** Messages as turns that alternate; what says nothing is left out, because empty blocks are refused. */
function turnsOf(messages: Message[], isCiting: boolean): Turn[] {
  const turns: Turn[] = [];
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const content = contentOf(message, isCiting);
    const last = turns.at(-1);
    if (content.length === 0) continue;
    if (last?.role === role) last.content.push(...content);
    else turns.push({ role, content });
  }
  return turns;
}

function contentOf(message: Message, isCiting: boolean): Anthropic.ContentBlockParam[] {
  switch (message.role) {
    case 'user':
    case 'compaction':
      return textBlock(userWords(message) ?? '');
    case 'assistant': {
      // A turn of nothing but thinking is refused.
      const blocks = message.parts.flatMap(blockOf);
      return blocks.some(({ type }) => type === 'text' || type === 'tool_use') ? blocks : [];
    }
    case 'tool':
      return message.results.map((result) => ({
        type: 'tool_result',
        tool_use_id: idOf(result.callId),
        is_error: result.isError,
        content: resultContent(result, isCiting),
      }));
  }
}

function blockOf(part: AssistantPart): Anthropic.ContentBlockParam[] {
  switch (part.type) {
    case 'text':
      return textBlock(part.text);
    case 'tool_call':
      return [{ type: 'tool_use', id: idOf(part.callId), name: wireName(part.tool), input: part.arguments }];
    case 'opaque':
      return part.provider === 'anthropic' ? [part.value as unknown as Anthropic.ContentBlockParam] : [];
  }
}

const textBlock = (text: string): Anthropic.TextBlockParam[] => (text.trim() ? [{ type: 'text', text }] : []);
const idOf = (callId: string) => wireId(callId, /^[a-zA-Z0-9_-]{1,64}$/);

/** A conversation that holds calls is refused without tools, so that one without tools on offer names them again. */
function offered(
  tools: ModelRequest['tools'],
  turns: Turn[],
): Pick<Anthropic.MessageCountTokensParams, 'tools' | 'tool_choice'> {
  if (tools.length > 0)
    return {
      tools: tools.map(({ name, description, inputSchema }) => ({
        name,
        description,
        input_schema: inputSchema as Anthropic.Tool.InputSchema,
      })),
    };
  const blocks = turns.flatMap(({ content }) => content);
  const called = new Set(blocks.flatMap((block) => (block.type === 'tool_use' ? [block.name] : [])));
  if (called.size === 0) return {};
  return {
    tools: [...called].sort().map((name) => ({ name, input_schema: { type: 'object' as const } })),
    tool_choice: { type: 'none' },
  };
}

/** The answer's schema as the API enforces it, or undefined when it cannot. */
function formatOf(schema: NonNullable<ModelRequest['outputSchema']>): Anthropic.JSONOutputFormat | undefined {
  const closed = closedSchema(schema);
  if (!closed) return undefined;
  try {
    const format = jsonSchemaOutputFormat(closed as unknown as Parameters<typeof jsonSchemaOutputFormat>[0]);
    return { type: format.type, schema: format.schema };
  } catch {
    // Something in it has no type, and means any value.
    return undefined;
  }
}
