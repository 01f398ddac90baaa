import type OpenAI from 'openai';
import type { JsonValue } from '../../contract/json.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import type { Message, ModelRequest } from '../../contract/ports/index.ts';
import { closedSchema, describeConstraints, fitsOpenAiStrictMode } from './answer-schema.ts';
import { instructionsWithSchema, userMessageText } from './prompt-text.ts';
import { providerCallId, providerToolName } from './tool-calls.ts';

type ToolCall = AssistantPart & { type: 'tool_call' };
type Parameters = OpenAI.ChatCompletionCreateParamsStreaming;

/**
 * A request in the form of Chat Completions.
 *
 * @param isOpenAi whether the server is OpenAI or Azure; other servers support an older or smaller version of the
 *   protocol
 * @param options.enforcesSchema false for a server that refuses an answer schema: it gets it in the instructions
 */
export function openAiParameters(
  request: ModelRequest,
  isOpenAi: boolean,
  { enforcesSchema = true }: { enforcesSchema?: boolean } = {},
): Parameters {
  const { model, messages, tools, maxOutputTokens, outputSchema } = request;
  const format = enforcesSchema ? responseFormatOf(request, isOpenAi) : undefined;
  const isSchemaInPrompt = outputSchema !== undefined && !format;
  const instructions = isSchemaInPrompt
    ? instructionsWithSchema(request.instructions, outputSchema)
    : request.instructions;
  return {
    model,
    messages: [
      ...(instructions ? [{ role: 'system' as const, content: instructions }] : []),
      ...openAiMessagesOf(messages, isOpenAi),
    ],
    // An empty list is refused.
    ...(tools.length > 0 ? { tools: tools.map(toolOf) } : {}),
    // OpenAI's reasoning models refuse max_tokens. Many other servers know only max_tokens and ignore the new name.
    ...(isOpenAi ? { max_completion_tokens: maxOutputTokens } : { max_tokens: maxOutputTokens }),
    ...(format ? { response_format: format } : {}),
    stream: true,
    stream_options: { include_usage: true },
  };
}

const toolOf = ({ name, description, inputSchema }: ModelRequest['tools'][number]) => ({
  type: 'function' as const,
  function: { name, description, parameters: inputSchema },
});

/** Joins neighbouring user messages: the chat templates of small models require that roles alternate. */
function openAiMessagesOf(messages: Message[], isOpenAi: boolean): OpenAI.ChatCompletionMessageParam[] {
  const joined: OpenAI.ChatCompletionMessageParam[] = [];
  for (const next of messages.flatMap((message) => convertMessage(message, isOpenAi))) {
    const last = joined.at(-1);
    if (last?.role === 'user' && next.role === 'user') last.content = `${textOf(last)}\n\n${textOf(next)}`;
    else joined.push(next);
  }
  return joined;
}

const textOf = ({ content }: OpenAI.ChatCompletionUserMessageParam) => (typeof content === 'string' ? content : '');

function convertMessage(message: Message, isOpenAi: boolean): OpenAI.ChatCompletionMessageParam[] {
  // OpenAI accepts ids of at most 40 characters. Another server gets its ids back unchanged.
  const toolCallId = (callId: string) => (isOpenAi ? providerCallId(callId, /^.{1,40}$/s) : callId);
  switch (message.role) {
    case 'user':
    case 'compaction': {
      const content = userMessageText(message);
      return content === undefined ? [] : [{ role: 'user', content }];
    }
    case 'assistant': {
      const text = message.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
      const calls = message.parts.flatMap((part) => (part.type === 'tool_call' ? [callOf(part, toolCallId)] : []));
      const reasoning = message.parts.reduce((fields, part) => ({ ...fields, ...reasoningIn(part) }), {});
      if (calls.length > 0) return [{ role: 'assistant', content: text || null, ...reasoning, tool_calls: calls }];
      return text ? [{ role: 'assistant', content: text, ...reasoning }] : [];
    }
    case 'tool':
      return message.results.map(({ callId, output }) => ({
        role: 'tool',
        tool_call_id: toolCallId(callId),
        content: typeof output === 'string' ? output : JSON.stringify(output),
      }));
  }
}

/** The reasoning fields of a message as the server sent them. Some servers refuse a message with calls without them. */
const reasoningIn = (part: AssistantPart) =>
  part.type === 'opaque' && part.provider === 'openai' ? (part.value as Record<string, JsonValue>) : {};

function callOf({ callId, tool, arguments: value, extra }: ToolCall, toolCallId: (callId: string) => string) {
  const { function: functionFields = {}, ...fields } =
    extra?.provider === 'openai' ? (extra.value as Record<string, JsonValue>) : {};
  return {
    ...fields,
    id: toolCallId(callId),
    type: 'function' as const,
    // Malformed arguments are not sent back, because chat templates parse the arguments.
    function: {
      ...(functionFields as Record<string, JsonValue>),
      name: providerToolName(tool),
      arguments: JSON.stringify(value),
    },
  };
}

/**
 * The answer's schema for the server to enforce; undefined when it goes into the instructions instead. That is so for
 * servers other than OpenAI when tools are offered: they force all output into the schema, so the model could call no
 * tool.
 */
function responseFormatOf({ outputSchema, tools }: ModelRequest, isOpenAi: boolean): Parameters['response_format'] {
  if (!outputSchema || (!isOpenAi && tools.length > 0)) return undefined;
  const closed = closedSchema(outputSchema);
  const schema = closed ? describeConstraints(closed) : outputSchema;
  const strict = closed !== undefined && fitsOpenAiStrictMode(schema);
  return { type: 'json_schema', json_schema: { name: 'answer', schema, strict } };
}
