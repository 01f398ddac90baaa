import type { IncomingMessage } from 'node:http';
import { holdsHalfCharacter } from '../fakes/wire-server.ts';

export type Block = { type: string; [key: string]: unknown };
export type AnthropicBody = {
  model?: string;
  max_tokens?: number;
  stream?: boolean;
  system?: string | Block[];
  tools?: { name: string; description?: string; input_schema?: { type?: string } }[];
  messages?: { role: string; content: string | Block[] }[];
  output_config?: { format?: { type?: string; schema?: unknown } };
};

const known = new Set(
  'model max_tokens stream system tools tool_choice messages output_config thinking metadata temperature top_p top_k stop_sequences service_tier cache_control'.split(
    ' ',
  ),
);

/**
 * Checks a request as the Messages API does, from its documentation and from observed errors. It refuses a missing
 * version, missing or unknown fields, wrong roles, empty text, tool results without their calls or without tools, more
 * than four cache breakpoints or one on thinking, changed thinking, an output schema that allows additional properties,
 * and lone surrogates.
 *
 * @param options.signed the thinking that was sent, by its signature
 * @param options.counts the request counts tokens, so it must have no `max_tokens`
 * @returns the API's error message; undefined for a valid request
 */
export function anthropicFault(
  request: Pick<IncomingMessage, 'headers'>,
  body: AnthropicBody,
  { signed, counts = false }: { signed: ReadonlyMap<string, string>; counts?: boolean },
): string | undefined {
  const { model, max_tokens, messages = [], tools = [], system, output_config } = body;
  if (!request.headers['anthropic-version']) return 'anthropic-version: header is required';
  if (holdsHalfCharacter(body)) return 'The request body is not valid JSON: no low surrogate in string';
  const unknown = Object.keys(body).find((key) => !known.has(key));
  if (unknown) return `${unknown}: Extra inputs are not permitted`;
  if (!model) return 'model: Field required';
  if (counts && (max_tokens !== undefined || body.stream !== undefined))
    return 'max_tokens: Extra inputs are not permitted';
  if (!counts && !max_tokens) return 'max_tokens: Field required';
  const format = output_config?.format;
  if (format && (format.type !== 'json_schema' || !isClosed(format.schema)))
    return "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false";
  const blocks = [...(typeof system === 'string' ? [] : (system ?? [])), ...messages.flatMap(contentOf), ...tools];
  if (blocks.filter((block) => 'cache_control' in block).length > 4)
    return 'A maximum of 4 blocks with cache_control may be provided.';
  if (Array.isArray(system) && system.some(isBlank)) return 'system: text content blocks must be non-empty';
  if (
    tools.length === 0 &&
    messages.flatMap(contentOf).some(({ type }) => type === 'tool_use' || type === 'tool_result')
  )
    return 'Requests which have `tool_use` or `tool_result` blocks in messages must define tools';
  return toolFault(tools) ?? messageFault(messages, signed);
}

function toolFault(tools: NonNullable<AnthropicBody['tools']>): string | undefined {
  for (const [i, { name, input_schema }] of tools.entries()) {
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name)) return `tools.${i}.custom.name: String should match pattern`;
    if (input_schema?.type !== 'object') return `tools.${i}.custom.input_schema.type: Field required`;
    if (tools.findIndex((other) => other.name === name) !== i) return 'tools: Tool names must be unique.';
  }
  return undefined;
}

function messageFault(messages: NonNullable<AnthropicBody['messages']>, signed: ReadonlyMap<string, string>) {
  if (messages.length === 0) return 'messages: at least one message is required';
  if (messages[0]?.role !== 'user') return 'messages: first message must use the "user" role';
  if (messages.at(-1)?.role !== 'user')
    return 'This model does not support assistant message prefill. The conversation must end with a user message.';
  const ids = new Set<unknown>();
  for (const [i, message] of messages.entries()) {
    const content = contentOf(message);
    const fault = contentFault(content, signed, ids);
    if (fault) return `messages.${i}${fault}`;
    const before = messages[i - 1];
    const callIds = before
      ? contentOf(before)
          .filter(({ type }) => type === 'tool_use')
          .map(({ id }) => id)
      : [];
    const resultIds = content.filter(({ type }) => type === 'tool_result').map(({ tool_use_id }) => tool_use_id);
    if (resultIds.some((id) => !callIds.includes(id)))
      return `messages.${i}: unexpected \`tool_use_id\` found in \`tool_result\` blocks`;
    if (callIds.some((id) => !resultIds.includes(id)))
      return `messages.${i}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after`;
    const firstWords = content.findIndex(({ type }) => type !== 'tool_result');
    if (firstWords !== -1 && content.slice(firstWords).some(({ type }) => type === 'tool_result'))
      return `messages.${i}: \`tool_result\` blocks must come first`;
  }
  return undefined;
}

function contentFault(content: Block[], signed: ReadonlyMap<string, string>, ids: Set<unknown>): string | undefined {
  if (content.length === 0)
    return ': all messages must have non-empty content except for the optional final assistant message';
  for (const [i, block] of content.entries()) {
    const at = `.content.${i}`;
    if (isBlank(block)) return `${at}: text content blocks must contain non-whitespace text`;
    const thinks = block.type === 'thinking' || block.type === 'redacted_thinking';
    if (thinks && 'cache_control' in block) return `${at}.thinking.cache_control: Extra inputs are not permitted`;
    if (block.type === 'thinking' && signed.get(String(block.signature)) !== block.thinking)
      return `${at}: Invalid \`signature\` in \`thinking\` block`;
    if (block.type !== 'tool_use') continue;
    if (!/^[a-zA-Z0-9_-]+$/.test(String(block.id))) return `${at}.tool_use.id: String should match pattern`;
    if (typeof block.input !== 'object' || block.input === null || Array.isArray(block.input))
      return `${at}.tool_use.input: Input should be a valid dictionary`;
    if (ids.has(block.id)) return ': `tool_use` ids must be unique';
    ids.add(block.id);
  }
  return undefined;
}

export const isBlank = ({ type, text }: Block) => type === 'text' && !String(text).trim();
export const contentOf = ({ content }: { content: string | Block[] }): Block[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

/** Whether every object of a JSON schema forbids additional properties. */
export function isClosed(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isClosed);
  if (typeof schema !== 'object' || schema === null) return true;
  if (
    'type' in schema &&
    schema.type === 'object' &&
    !('additionalProperties' in schema && schema.additionalProperties === false)
  )
    return false;
  return Object.values(schema).every(isClosed);
}
