import { createAnthropicProvider } from '../../../adapters/models/anthropic.ts';
import { createOpenAiProvider } from '../../../adapters/models/openai.ts';
import type { Script } from '../../../adapters/models/script.ts';
import { createScriptedProvider } from '../../../adapters/models/scripted.ts';
import { parseJsonObject } from '../../../adapters/models/tool-calls.ts';
import type { ModelProvider, ProviderLimits, StopReason } from '../../../contract/ports/index.ts';
import { startFakeAnthropic, type AnthropicTurn } from './fake-anthropic.ts';
import { startFakeOpenAi, type OpenAiTurn } from './fake-openai.ts';
import type { ErrorCode } from '../../../contract/errors.ts';
import type { WireServer } from '../fakes/wire-server.ts';

/** What the next response shall be, on whatever wire. */
export type ScriptedResponse = {
  text?: string[];
  calls?: { id: string; tool: string; pieces: string[] }[];
  stop?: StopReason;
  usage?: { inputTokens: number; cacheReadTokens: number; outputTokens: number };
  limits?: ProviderLimits;
  /** Instead of an answer. */
  errorResponse?: { status: number; message?: string; headers?: Record<string, string> };
  /** An error inside the stream, after it has begun. */
  errorInside?: true;
  chunkBytes?: number;
  /** The response breaks off, ends, or falls silent after so many pieces of the text; -1: before the first frame. */
  cutAfter?: number;
  endAfter?: number;
  stallAfter?: number;
  raw?: string;
};

export type ScriptedProvider = {
  respondWith: (told: ScriptedResponse) => void;
  /** A provider that gets the next response. */
  create: (options?: { apiKey?: string; idleMs?: number; baseUrl?: string }) => ModelProvider;
  model: string;
  server: Pick<WireServer, 'bodies' | 'untilAbandoned' | 'close'>;
};

/** `telling`: it says what it is told; `http`: it speaks over a wire. */
export type Capability = 'telling' | 'http';

/** Every provider, with what makes it say what it is told. */
export const scriptedProviders: { name: string; capabilities: Capability[]; start: () => Promise<ScriptedProvider> }[] =
  [
    {
      name: 'anthropic',
      capabilities: ['telling', 'http'],
      start: async () => {
        const fake = await startFakeAnthropic('right');
        return {
          respondWith: (told) => fake.script(anthropicTurn(told)),
          create: (options) => createAnthropicProvider({ apiKey: 'right', baseUrl: fake.url, ...options }),
          model: 'claude-test',
          server: fake,
        };
      },
    },
    {
      name: 'openai',
      capabilities: ['telling', 'http'],
      start: async () => {
        const fake = await startFakeOpenAi('right');
        return {
          respondWith: (told) => fake.script(openAiTurn(told)),
          create: (options) => createOpenAiProvider({ apiKey: 'right', baseUrl: fake.url, ...options }),
          model: 'gpt-test',
          server: fake,
        };
      },
    },
    {
      name: 'scripted',
      capabilities: ['telling'],
      start: async () => {
        let turn: Script['turns'][number] = {};
        return {
          respondWith: (told) => {
            turn = scriptTurn(told);
          },
          create: (options) => createScriptedProvider({ script: { turns: [turn] }, ...options }),
          model: 'any',
          server: noServer,
        };
      },
    },
    {
      // It quotes what tools gave it, and nothing else.
      name: 'offline',
      capabilities: [],
      start: () => Promise.reject(new Error('The offline provider says nothing that it is told.')),
    },
  ];

const noServer = { bodies: [], untilAbandoned: async () => {}, close: async () => {} };

function anthropicTurn({
  text,
  calls = [],
  stop,
  usage,
  limits,
  errorResponse: refuse,
  errorInside,
  ...told
}: ScriptedResponse): AnthropicTurn {
  // Before the first piece stand the message's start, a ping and the block's start.
  const framesBefore = 3;
  return {
    ...faultsOf(told, framesBefore),
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
    ...(refuse && {
      errorResponse: { message: 'no', type: anthropicTypes[refuse.status] ?? 'invalid_request_error', ...refuse },
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

function openAiTurn({
  text,
  calls,
  stop,
  usage,
  limits,
  errorResponse: refuse,
  errorInside,
  ...told
}: ScriptedResponse): OpenAiTurn {
  return {
    // Before the first piece stands the chunk with the role.
    ...faultsOf(told, 1),
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
        // On this wire the cached tokens are part of the prompt's.
        prompt_tokens: usage.inputTokens + usage.cacheReadTokens,
        prompt_tokens_details: { cached_tokens: usage.cacheReadTokens },
        completion_tokens: usage.outputTokens,
      },
    }),
    ...(refuse && { errorResponse: { message: 'no', ...openAiKinds(refuse.status), ...refuse } }),
    ...(errorInside && { errorChunk: { message: 'The server is overloaded.', type: 'server_error' } }),
  };
}

function openAiKinds(status: number): { type?: string; code?: string } {
  if (status === 429) return { type: 'requests', code: 'rate_limit_exceeded' };
  return status >= 500 ? { type: 'server_error' } : {};
}

function scriptTurn({
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
    ...(limits && { limits: limits }),
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

/** What of a request a provider's cache goes by, in its order: the marks of the cache itself are not part of it. */
export function promptIn(body: string): string {
  const unmarked = (key: string, value: unknown) => (key === 'cache_control' ? undefined : value);
  const { tools, system, messages } = JSON.parse(body, unmarked) as Record<string, unknown>;
  return JSON.stringify([tools ?? null, system ?? null, messages]);
}

/** What Alfred makes of a status, where the provider says no more than that. */
export const statuses: [number, ErrorCode][] = [
  [400, 'model_rejected'],
  [401, 'model_auth'],
  [403, 'model_auth'],
  [404, 'model_rejected'],
  [408, 'model_unavailable'],
  [409, 'model_unavailable'],
  [413, 'model_context_overflow'],
  [422, 'model_rejected'],
  [429, 'model_rate_limited'],
  [500, 'model_unavailable'],
  [502, 'model_unavailable'],
  [503, 'model_unavailable'],
  [504, 'model_unavailable'],
  [529, 'model_unavailable'],
];

/** How long headers ask to wait, in milliseconds; an hour at the most. */
export const waits: [Record<string, string>, number | undefined][] = [
  [{ 'retry-after': '7' }, 7_000],
  [{ 'retry-after': '0.5' }, 500],
  [{ 'retry-after-ms': '250' }, 250],
  [{ 'retry-after-ms': '1234.5', 'retry-after': '9' }, 1_234.5],
  [{ 'retry-after': '86400' }, 3_600_000],
  [{ 'retry-after': 'soon' }, undefined],
  [{}, undefined],
];
