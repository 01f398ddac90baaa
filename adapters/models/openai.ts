import OpenAI, { APIError } from 'openai';
import type { ModelProvider } from '../../contract/ports/index.ts';
import { OpenAiAnswer } from './openai-answer.ts';
import { parametersOf } from './openai-request.ts';
import type { ProviderFailure } from '../outbound/provider-errors.ts';
import { limitsIn, openaiLimitHeaders } from './rate-limit-headers.ts';
import { streamAnswer } from './stream-answer.ts';
import { wellFormed } from './well-formed.ts';

type Options = {
  /** Servers on one's own machine want none. */
  apiKey?: string | undefined;
  /** Of OpenAI, Azure, or any server that speaks Chat Completions; up to and including `/v1`. */
  baseUrl?: string | undefined;
  /**
   * Longest silence before a call is given up, in milliseconds. Long, because nothing comes while a model reasons or a
   * slow machine reads a long prompt, and a call that is given up is paid for; Node's own HTTP client waits no longer.
   */
  idleMs?: number | undefined;
};

const name = 'openai';

/** Any server that speaks Chat Completions, by the official SDK, whose own retries are off: Temporal retries. */
export function createOpenAiProvider({ apiKey, baseUrl, idleMs = 5 * 60_000 }: Options): ModelProvider {
  const url = new URL(baseUrl ?? 'https://api.openai.com/v1');
  const isAzure = /\.azure\.com$/.test(url.hostname);
  const isOwn = isAzure || /(^|\.)api\.openai\.com$/.test(url.hostname);
  const client = new OpenAI({
    // The SDK demands a key, also for servers that look at none.
    apiKey: apiKey ?? 'none',
    baseURL: url.origin + url.pathname,
    // Azure's older addresses carry ?api-version=…, and take a key in a header of its own.
    defaultQuery: Object.fromEntries(url.searchParams),
    defaultHeaders: isAzure && apiKey ? { 'api-key': apiKey } : {},
    // Else the SDK would read them from the environment.
    adminAPIKey: null,
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: idleMs + 60_000,
    logLevel: 'off',
  });
  return {
    name,

    stream: (request, signal) =>
      streamAnswer(
        {
          provider: name,
          idleMs,
          open: async (either) => {
            const parameters = wellFormed(parametersOf(request, isOwn));
            const { data, response } = await client.chat.completions
              .create(parameters, { signal: either })
              .withResponse();
            return { pieces: data, headers: response.headers };
          },
          limits: (headers) => limitsIn(headers, openaiLimitHeaders),
          failure,
        },
        new OpenAiAnswer(request),
        signal,
      ),
  };
}

function failure(error: unknown): ProviderFailure | undefined {
  if (!(error instanceof APIError)) return undefined;
  const { status, type, code, headers, message } = error as APIError;
  const body = error.error as { message?: unknown } | undefined;
  const said = body?.message;
  // In a stream that has begun, the code is often the status it would have had.
  const late = typeof code === 'number' ? code : undefined;
  return {
    status: status ?? late,
    type: type ?? undefined,
    code: typeof code === 'string' ? code : undefined,
    headers,
    message: typeof said === 'string' ? said : message,
  };
}
