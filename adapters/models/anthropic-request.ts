import type Anthropic from '@anthropic-ai/sdk';
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema';
import type { AssistantPart } from '../../contract/messages.ts';
import type { Message, ModelRequest } from '../../contract/ports/index.ts';
import { resultContent, sendsSearchResults } from './anthropic-citations.ts';
import { closedSchema } from './answer-schema.ts';
import { instructionsWithSchema, userMessageText } from './prompt-text.ts';
import { providerCallId, providerToolName } from './tool-calls.ts';

type AnthropicMessage = { role: 'user' | 'assistant'; content: Anthropic.ContentBlockParam[] };
const cacheControl = { type: 'ephemeral' } as const;

/** The part of a request that the Messages API and its token counting have in common. */
export function anthropicPrompt(request: ModelRequest) {
  const { model, instructions, messages, tools, outputSchema } = request;
  const anthropicMessages = anthropicMessagesOf(messages, sendsSearchResults(request));
  markCacheBreakpoints(anthropicMessages);
  const format = outputSchema && outputFormatOf(outputSchema);
  const system = outputSchema && !format ? instructionsWithSchema(instructions, outputSchema) : instructions;
  return {
    model,
    // The API puts tools before the system prompt, so a breakpoint at its end caches both.
    ...(system ? { system: [{ type: 'text' as const, text: system, cache_control: cacheControl }] } : {}),
    ...toolParameters(tools, anthropicMessages),
    messages: anthropicMessages,
    ...(format ? { output_config: { format } } : {}),
  } satisfies Anthropic.MessageCountTokensParams;
}

/**
 * Sets cache breakpoints at the end of the prompt, for the next request, and at the end of the previous prompt, where
 * the previous request cached it. The second one is needed because the API looks back only 20 blocks from a breakpoint,
 * and a message with many parallel calls has more. Together with the system prompt's, that is three of the four
 * breakpoints that the API allows.
 */
function markCacheBreakpoints(messages: AnthropicMessage[]) {
  for (const message of messages.filter(({ role }) => role === 'user').slice(-2)) {
    const last = message.content.at(-1);
    if (last) Object.assign(last, { cache_control: cacheControl });
  }
}

/** Joins neighbouring messages of one role. Messages without content are left out: the API refuses empty blocks. */
function anthropicMessagesOf(messages: Message[], asSearchResults: boolean): AnthropicMessage[] {
  const joined: AnthropicMessage[] = [];
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const content = contentOf(message, asSearchResults);
    const last = joined.at(-1);
    if (content.length === 0) continue;
    if (last?.role === role) last.content.push(...content);
    else joined.push({ role, content });
  }
  return joined;
}

function contentOf(message: Message, asSearchResults: boolean): Anthropic.ContentBlockParam[] {
  switch (message.role) {
    case 'user':
    case 'compaction':
      return textBlock(userMessageText(message) ?? '');
    case 'assistant': {
      // The API refuses an assistant message that contains only thinking.
      const blocks = message.parts.flatMap(blockOf);
      return blocks.some(({ type }) => type === 'text' || type === 'tool_use') ? blocks : [];
    }
    case 'tool':
      return message.results.map((result) => ({
        type: 'tool_result',
        tool_use_id: toolUseId(result.callId),
        is_error: result.isError,
        content: resultContent(result, asSearchResults),
      }));
  }
}

function blockOf(part: AssistantPart): Anthropic.ContentBlockParam[] {
  switch (part.type) {
    case 'text':
      return textBlock(part.text);
    case 'tool_call':
      return [
        { type: 'tool_use', id: toolUseId(part.callId), name: providerToolName(part.tool), input: part.arguments },
      ];
    case 'opaque':
      return part.provider === 'anthropic' ? [part.value as unknown as Anthropic.ContentBlockParam] : [];
  }
}

const textBlock = (text: string): Anthropic.TextBlockParam[] => (text.trim() ? [{ type: 'text', text }] : []);
const toolUseId = (callId: string) => providerCallId(callId, /^[a-zA-Z0-9_-]{1,64}$/);

/**
 * The tools of the request. The API refuses a conversation with tool calls when no tools are given: then the tools of
 * these calls are named, and `tool_choice` forbids calling them.
 */
function toolParameters(
  tools: ModelRequest['tools'],
  messages: AnthropicMessage[],
): Pick<Anthropic.MessageCountTokensParams, 'tools' | 'tool_choice'> {
  if (tools.length > 0)
    return {
      tools: tools.map(({ name, description, inputSchema }) => ({
        name,
        description,
        input_schema: inputSchema as Anthropic.Tool.InputSchema,
      })),
    };
  const blocks = messages.flatMap(({ content }) => content);
  const calledTools = new Set(blocks.flatMap((block) => (block.type === 'tool_use' ? [block.name] : [])));
  if (calledTools.size === 0) return {};
  return {
    tools: [...calledTools].sort().map((name) => ({ name, input_schema: { type: 'object' as const } })),
    tool_choice: { type: 'none' },
  };
}

/** The answer's schema as the API enforces it, or undefined if the API cannot enforce it. */
function outputFormatOf(schema: NonNullable<ModelRequest['outputSchema']>): Anthropic.JSONOutputFormat | undefined {
  const closed = closedSchema(schema);
  if (!closed) return undefined;
  try {
    const format = jsonSchemaOutputFormat(closed as unknown as Parameters<typeof jsonSchemaOutputFormat>[0]);
    return { type: format.type, schema: format.schema };
  } catch {
    // The SDK refuses a schema with a part that has no type, which means any value.
    return undefined;
  }
}
