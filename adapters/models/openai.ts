import OpenAI, { APIError } from 'openai';
import type { ModelProvider } from '../../contract/ports/index.ts';
import type { ProviderFailure } from '../outbound/provider-errors.ts';
import { OpenAiAnswer } from './openai-answer.ts';
import { normalizeEventStream } from './openai-event-stream.ts';
import { openAiParameters } from './openai-request.ts';
import { createPatientFetch } from './patient-fetch.ts';
import { openAiRateLimitHeaders, parseRateLimits } from './rate-limit-headers.ts';
import { replaceLoneSurrogates } from './replace-lone-surrogates.ts';
import { streamAnswer } from './stream-answer.ts';

type Options = {
  /** Of the provider, in models' names and errors. */
  name?: string | undefined;
  /** Local servers usually need none. */
  apiKey?: string | undefined;
  /** Address of OpenAI, Azure, or any server that speaks Chat Completions, up to and including `/v1`. */
  baseUrl?: string | undefined;
  /**
   * Longest silence before a call is aborted, in milliseconds. It is long because an aborted call is charged, and
   * because a server sends nothing while a model reasons or a slow machine reads a long prompt. Default: 5 minutes for
   * OpenAI and Azure, half an hour for any other server.
   */
  idleMs?: number | undefined;
};

/** What Node's own `fetch` waits for at most. */
const maxFetchMs = 5 * 60_000;

/** Any server that speaks Chat Completions, through the official SDK. Its retries are off, because Temporal retries. */
export function createOpenAiProvider({
  name = 'openai',
  apiKey,
  baseUrl,
  idleMs: chosenIdleMs,
}: Options): ModelProvider {
  const url = new URL(baseUrl ?? 'https://api.openai.com/v1');
  const isAzure = /\.azure\.com$/.test(url.hostname);
  const isOpenAi = isAzure || /(^|\.)api\.openai\.com$/.test(url.hostname);
  const idleMs = chosenIdleMs ?? (isOpenAi ? maxFetchMs : 30 * 60_000);
  const fetchAnswer = idleMs > maxFetchMs ? createPatientFetch() : fetch;
  const client = new OpenAI({
    // The SDK requires a key, even for servers that ignore it.
    apiKey: apiKey ?? 'none',
    baseURL: url.origin + url.pathname,
    // Azure's older addresses contain ?api-version=…, and its key goes into a header of its own.
    defaultQuery: Object.fromEntries(url.searchParams),
    defaultHeaders: isAzure && apiKey ? { 'api-key': apiKey } : {},
    // Without null the SDK would read these from the environment.
    adminAPIKey: null,
    organization: null,
    project: null,
    maxRetries: 0,
    fetch: async (input, init) => normalizeEventStream(await fetchAnswer(input, init)),
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
          open: async (openSignal) => {
            const ask = (parameters: ReturnType<typeof openAiParameters>) =>
              client.chat.completions.create(replaceLoneSurrogates(parameters), { signal: openSignal }).withResponse();
            const { data, response } = await ask(openAiParameters(request, isOpenAi)).catch((error: unknown) => {
              if (!request.outputSchema || !refusesFormat(error)) throw error;
              return ask(openAiParameters(request, isOpenAi, { enforcesSchema: false }));
            });
            return { pieces: data, headers: response.headers };
          },
          parseLimits: (headers) => parseRateLimits(headers, openAiRateLimitHeaders),
          parseFailure,
        },
        new OpenAiAnswer(request),
        signal,
      ),
  };
}

/** Whether a server refused a request because it cannot enforce a schema. A refused request costs nothing. */
function refusesFormat(error: unknown): boolean {
  const { status, message = '' } = parseFailure(error) ?? {};
  return (status === 400 || status === 422) && message.includes('response_format');
}

function parseFailure(error: unknown): ProviderFailure | undefined {
  if (!(error instanceof APIError)) return undefined;
  const { status, type, code, headers, message } = error as APIError;
  const body = error.error as { message?: unknown } | undefined;
  const bodyMessage = body?.message;
  // An error inside a stream has no HTTP status. Its code is often the status that it would have had.
  const statusInCode = typeof code === 'number' ? code : undefined;
  return {
    status: status ?? statusInCode,
    type: type ?? undefined,
    code: typeof code === 'string' ? code : undefined,
    headers,
    message: typeof bodyMessage === 'string' ? bodyMessage : message,
  };
}
