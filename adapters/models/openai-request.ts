import type OpenAI from 'openai';
import type { AssistantPart } from '../../contract/messages.ts';
import type { Message, ModelRequest } from '../../contract/ports/index.ts';
import { closedSchema, inWords, isStrict, shapeOf } from './answer-schema.ts';
import { wireId, wireName } from './tool-calls.ts';
import { userWords } from './user-words.ts';

type Parameters = OpenAI.ChatCompletionCreateParamsStreaming;

/**
 * A request as Chat Completions takes it.
 *
 * @param isOwn whether OpenAI itself, or Azure for it, answers; other servers speak an older or a smaller dialect
 */
export function parametersOf(request: ModelRequest, isOwn: boolean): Parameters {
  const { model, messages, tools, maxOutputTokens } = request;
  const format = formatOf(request, isOwn);
  const instructions =
    request.outputSchema && !format ? inWords(request.instructions, request.outputSchema) : request.instructions;
  return {
    model,
    messages: [
      ...(instructions ? [{ role: 'system' as const, content: instructions }] : []),
      ...conversationOf(messages, isOwn),
    ],
    // An empty list is refused.
    ...(tools.length > 0 ? { tools: tools.map(toolOf) } : {}),
    // OpenAI's reasoning models refuse max_tokens; many other servers know nothing but it, and would ignore the limit.
    ...(isOwn ? { max_completion_tokens: maxOutputTokens } : { max_tokens: maxOutputTokens }),
    ...(format ? { response_format: format } : {}),
    stream: true,
    stream_options: { include_usage: true },
  };
}

const toolOf = ({ name, description, inputSchema }: ModelRequest['tools'][number]) => ({
  type: 'function' as const,
  function: { name, description, parameters: inputSchema },
});

/** Messages on the wire; of users one after the other one is made, because chat templates of small models demand turns. */
function conversationOf(messages: Message[], isOwn: boolean): OpenAI.ChatCompletionMessageParam[] {
  const wire: OpenAI.ChatCompletionMessageParam[] = [];
  for (const next of messages.flatMap((message) => messagesOf(message, isOwn))) {
    const last = wire.at(-1);
    if (last?.role === 'user' && next.role === 'user') last.content = `${words(last)}\n\n${words(next)}`;
    else wire.push(next);
  }
  return wire;
}

const words = ({ content }: OpenAI.ChatCompletionUserMessageParam) => (typeof content === 'string' ? content : '');

function messagesOf(message: Message, isOwn: boolean): OpenAI.ChatCompletionMessageParam[] {
  // OpenAI takes ids of 40 characters at the most; another server's ids go back to it as they came.
  const idOf = (callId: string) => (isOwn ? wireId(callId, /^.{1,40}$/s) : callId);
  switch (message.role) {
    case 'user':
    case 'compaction': {
      const content = userWords(message);
      return content === undefined ? [] : [{ role: 'user', content }];
    }
    case 'assistant': {
      const text = message.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
      const calls = message.parts.flatMap((part) => (part.type === 'tool_call' ? [callOf(part, idOf)] : []));
      if (calls.length > 0) return [{ role: 'assistant', content: text || null, tool_calls: calls }];
      return text ? [{ role: 'assistant', content: text }] : [];
    }
    case 'tool':
      return message.results.map(({ callId, output }) => ({
        role: 'tool',
        tool_call_id: idOf(callId),
        content: typeof output === 'string' ? output : JSON.stringify(output),
      }));
  }
}

const callOf = (call: AssistantPart & { type: 'tool_call' }, idOf: (callId: string) => string) => ({
  id: idOf(call.callId),
  type: 'function' as const,
  // Malformed arguments do not go back: chat templates parse them.
  function: { name: wireName(call.tool), arguments: JSON.stringify(call.arguments) },
});

/**
 * The answer's schema as the server enforces it; undefined when it must be said in words. Servers other than OpenAI force
 * everything a model writes into the schema, calls too, so that it could call no tool.
 */
function formatOf({ outputSchema, tools }: ModelRequest, isOwn: boolean): Parameters['response_format'] {
  if (!outputSchema || (!isOwn && tools.length > 0)) return undefined;
  const closed = closedSchema(outputSchema);
  const schema = closed ? shapeOf(closed) : outputSchema;
  const strict = closed !== undefined && isStrict(schema);
  return { type: 'json_schema', json_schema: { name: 'answer', schema, strict } };
}
