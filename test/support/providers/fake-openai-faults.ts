import { holdsHalfCharacter } from '../fakes/wire-server.ts';
import { isClosed } from './fake-anthropic-faults.ts';

type WireCall = { id: string; type: string; function: { name: string; arguments: unknown } };
export type OpenAiMessage = {
  role: string;
  content?: string | object[] | null;
  tool_calls?: WireCall[];
  tool_call_id?: string;
};
export type OpenAiBody = {
  model?: string;
  messages?: OpenAiMessage[];
  tools?: { type: string; function: { name: string; description?: string; parameters?: { type?: string } } }[];
  tool_choice?: unknown;
  parallel_tool_calls?: boolean;
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
  max_tokens?: number;
  max_completion_tokens?: number;
  response_format?: {
    type: string;
    json_schema?: { name?: string; strict?: boolean; schema?: Record<string, unknown> };
  };
};

export type OpenAiFault = { message: string; param?: string; code?: string };

/**
 * Checks a request as Chat Completions does, from its documentation and from observed errors. It refuses missing
 * fields, fields that exclude each other, tool messages without their calls, empty lists, arguments that are not
 * strings, invalid names, a strict schema that allows additional properties, and lone surrogates.
 *
 * @returns the API's error; undefined for a valid request
 */
export function openAiFault(body: OpenAiBody): OpenAiFault | undefined {
  const { model, messages = [], tools, stream, stream_options, max_tokens, max_completion_tokens } = body;
  if (holdsHalfCharacter(body))
    return { message: 'We could not parse the JSON body of your request. (no low surrogate in string)' };
  if (!model) return { message: 'you must provide a model parameter' };
  if (stream_options && !stream)
    return {
      message: "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      param: 'stream_options',
    };
  if (max_tokens !== undefined && max_completion_tokens !== undefined)
    return { message: "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported." };
  if (messages.length === 0) return emptyList('messages');
  if (tools?.length === 0) return emptyList('tools');
  if (!tools && (body.tool_choice !== undefined || body.parallel_tool_calls !== undefined))
    return { message: "'tool_choice' and 'parallel_tool_calls' are only allowed when 'tools' are specified." };
  for (const [i, { type, function: made }] of (tools ?? []).entries()) {
    if (type !== 'function') return { message: `Missing required parameter: 'tools[${i}].type'.` };
    if (!/^[a-zA-Z0-9_-]{1,64}$/.test(made.name)) return wrongPattern(`tools[${i}].function.name`);
    if (made.parameters?.type !== 'object')
      return {
        message: `Invalid schema for function '${made.name}': schema must be a JSON Schema of 'type: "object"'`,
      };
  }
  return formatFault(body) ?? messagesFault(messages);
}

function formatFault({ response_format: format }: OpenAiBody): OpenAiFault | undefined {
  if (format?.type !== 'json_schema') return undefined;
  const { name = '', schema, strict } = format.json_schema ?? {};
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) return wrongPattern('response_format.json_schema.name');
  if (!schema) return { message: "Missing required parameter: 'response_format.json_schema.schema'." };
  const invalidSchema = (what: string) => ({ message: `Invalid schema for response_format '${name}': ${what}` });
  if (strict && schema.type !== 'object') return invalidSchema('schema must be a JSON Schema of \'type: "object"\'');
  if (strict && !isClosed(schema))
    return invalidSchema("'additionalProperties' is required to be supplied and to be false.");
  if (strict && !requiresAll(schema))
    return invalidSchema("'required' is required to be an array including every key in properties.");
  return undefined;
}

function messagesFault(messages: OpenAiMessage[]): OpenAiFault | undefined {
  let openCallIds: string[] = [];
  for (const [i, { role, content, tool_calls, tool_call_id = '' }] of messages.entries()) {
    if (role === 'tool') {
      if (!openCallIds.includes(tool_call_id))
        return {
          message:
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
        };
      openCallIds = openCallIds.filter((id) => id !== tool_call_id);
    } else if (openCallIds.length > 0) break;
    if (typeof content !== 'string' && !Array.isArray(content) && !(role === 'assistant' && tool_calls))
      return {
        message: `Invalid value for 'content': expected a string, got ${content === null ? 'null' : 'nothing'}.`,
      };
    if (!tool_calls) continue;
    if (role !== 'assistant') return { message: `Unknown parameter: 'messages[${i}].tool_calls'.` };
    if (tool_calls.length === 0) return emptyList(`messages[${i}].tool_calls`);
    if (tool_calls.some((call) => typeof call.function.arguments !== 'string'))
      return { message: `Invalid type for 'messages[${i}].tool_calls[0].function.arguments': expected a string.` };
    if (tool_calls.some((call) => !/^[a-zA-Z0-9_-]{1,64}$/.test(call.function.name)))
      return wrongPattern(`messages[${i}].tool_calls[0].function.name`);
    openCallIds = tool_calls.map(({ id }) => id);
  }
  if (openCallIds.length === 0) return undefined;
  return {
    message: `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${openCallIds.join(', ')}`,
  };
}

const emptyList = (param: string): OpenAiFault => ({
  message: `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
  param,
  code: 'empty_array',
});
const wrongPattern = (param: string): OpenAiFault => ({
  message: `Invalid '${param}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
  param,
  code: 'invalid_value',
});

function requiresAll(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(requiresAll);
  if (typeof schema !== 'object' || schema === null) return true;
  const { properties, required } = schema as { properties?: object; required?: string[] };
  return (
    Object.keys(properties ?? {}).every((name) => required?.includes(name)) && Object.values(schema).every(requiresAll)
  );
}
