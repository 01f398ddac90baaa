import type { Script } from '../../../adapters/models/script.ts';
import { parseJsonObject } from '../../../adapters/models/tool-calls.ts';
import type { ProviderLimits, StopReason } from '../../../contract/ports/index.ts';
import type { AnthropicTurn } from './fake-anthropic.ts';
import type { OpenAiTurn } from './fake-openai.ts';

/** A response that a provider sends next, in the terms of no protocol. */
export type ScriptedResponse = {
  text?: string[];
  calls?: { id: string; tool: string; pieces: string[] }[];
  stop?: StopReason;
  usage?: { inputTokens: number; cacheReadTokens: number; outputTokens: number };
  limits?: ProviderLimits;
  /** Sent instead of an answer. */
  errorResponse?: { status: number; message?: string; headers?: Record<string, string> };
  /** An error event inside the stream, after it has begun. */
  errorInside?: true;
  chunkBytes?: number;
  /** The response breaks off, ends or stalls after this many pieces of its text; -1: before the first frame. */
  cutAfter?: number;
  endAfter?: number;
  stallAfter?: number;
  raw?: string;
};

export function anthropicTurn({
  text,
  calls = [],
  stop,
  usage,
  limits,
  errorResponse,
  errorInside,
  ...stream
}: ScriptedResponse): AnthropicTurn {
  // The message's start, a ping and the block's start come before the first piece.
  const framesBefore = 3;
  return {
    ...faultsOf(stream, framesBefore),
    blocks: [
      ...(text ? [{ type: 'text', pieces: text }] : []),
      ...calls.map(({ id, tool, pieces }) => ({ type: 'tool_use', id, name: tool, pieces })),
    ],
    stopReason: { end: 'end_turn', tools: 'tool_use', max_tokens: 'max_tokens', refusal: 'refusal' }[
      stop ?? (calls.length > 0 ? 'tools' : 'end')
    ],
    headers: headersOf({
      'anthropic-ratelimit-requests-limit': limits?.requestsPerMinute,
      'anthropic-ratelimit-requests-remaining': limits?.requestsLeft,
      'anthropic-ratelimit-input-tokens-limit': limits?.tokensPerMinute,
      'anthropic-ratelimit-input-tokens-remaining': limits?.tokensLeft,
    }),
    ...(usage && {
      usage: {
        input_tokens: usage.inputTokens,
        cache_read_input_tokens: usage.cacheReadTokens,
        output_tokens: usage.outputTokens,
      },
    }),
    ...(errorResponse && {
      errorResponse: {
        message: 'no',
        type: anthropicTypes[errorResponse.status] ?? 'invalid_request_error',
        ...errorResponse,
      },
    }),
    ...(errorInside && { errorEvent: { type: 'overloaded_error', message: 'Overloaded' } }),
  };
}

const anthropicTypes: Record<number, string> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

export function openAiTurn({
  text,
  calls,
  stop,
  usage,
  limits,
  errorResponse,
  errorInside,
  ...stream
}: ScriptedResponse): OpenAiTurn {
  return {
    // The chunk with the role comes before the first piece.
    ...faultsOf(stream, 1),
    ...(text && { text }),
    ...(calls && { calls: calls.map(({ tool, ...call }) => ({ name: tool, ...call })) }),
    ...(stop && {
      finishReason: { end: 'stop', tools: 'tool_calls', max_tokens: 'length', refusal: 'content_filter' }[stop],
    }),
    headers: headersOf({
      'x-ratelimit-limit-requests': limits?.requestsPerMinute,
      'x-ratelimit-remaining-requests': limits?.requestsLeft,
      'x-ratelimit-limit-tokens': limits?.tokensPerMinute,
      'x-ratelimit-remaining-tokens': limits?.tokensLeft,
    }),
    ...(usage && {
      usage: {
        // In this protocol `prompt_tokens` includes the cached tokens.
        prompt_tokens: usage.inputTokens + usage.cacheReadTokens,
        prompt_tokens_details: { cached_tokens: usage.cacheReadTokens },
        completion_tokens: usage.outputTokens,
      },
    }),
    ...(errorResponse && { errorResponse: { message: 'no', ...openAiKinds(errorResponse.status), ...errorResponse } }),
    ...(errorInside && { errorChunk: { message: 'The server is overloaded.', type: 'server_error' } }),
  };
}

function openAiKinds(status: number): { type?: string; code?: string } {
  if (status === 429) return { type: 'requests', code: 'rate_limit_exceeded' };
  return status >= 500 ? { type: 'server_error' } : {};
}

export function scriptTurn({
  text = [],
  calls,
  stop,
  usage,
  limits,
  cutAfter,
  stallAfter,
}: ScriptedResponse): Script['turns'][number] {
  return {
    text: text.slice(0, cutAfter),
    ...(calls && { calls: calls.map(({ tool, pieces }) => ({ tool, ...argumentsOf(pieces.join('')) })) }),
    ...(stop && { stopReason: stop }),
    ...(usage && { usage }),
    ...(limits && { limits }),
    ...(cutAfter !== undefined && { error: { code: 'model_unavailable' } }),
    ...(stallAfter !== undefined && { firstTokenMs: 60_000 }),
  };
}

function argumentsOf(text: string) {
  if (['', 'null'].includes(text)) return {};
  const value = parseJsonObject(text);
  return value ? { arguments: value } : { malformed: text };
}

type StreamPoints = Pick<ScriptedResponse, 'chunkBytes' | 'cutAfter' | 'endAfter' | 'stallAfter' | 'raw'>;

function faultsOf({ cutAfter, endAfter, stallAfter, ...rest }: StreamPoints, framesBefore: number) {
  const frames = (pieces: number) => (pieces < 0 ? 0 : framesBefore + pieces);
  return {
    ...rest,
    ...(cutAfter !== undefined && { cutAfter: frames(cutAfter) }),
    ...(endAfter !== undefined && { endAfter: frames(endAfter) }),
    ...(stallAfter !== undefined && { stallAfter: frames(stallAfter) }),
  };
}

const headersOf = (headers: Record<string, number | undefined>) =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
