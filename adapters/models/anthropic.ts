import Anthropic, { APIError } from '@anthropic-ai/sdk';
import type { ModelProvider } from '../../contract/ports/index.ts';
import { providerError, type ProviderFailure } from '../outbound/provider-errors.ts';
import { AnthropicAnswer } from './anthropic-answer.ts';
import { anthropicPrompt } from './anthropic-request.ts';
import { anthropicRateLimitHeaders, parseRateLimits } from './rate-limit-headers.ts';
import { replaceLoneSurrogates } from './replace-lone-surrogates.ts';
import { streamAnswer } from './stream-answer.ts';

type Options = {
  apiKey: string;
  baseUrl: string;
  /**
   * Longest silence before a call is aborted, in milliseconds. It is long because an aborted call is charged, and
   * because the SDK hides the pings that Anthropic sends while a model thinks.
   */
  idleMs?: number | undefined;
};

const name = 'anthropic';

/** Claude, through the official SDK. The SDK's retries are off, because Temporal retries. */
export function createAnthropicProvider({ apiKey, baseUrl, idleMs = 8 * 60_000 }: Options): ModelProvider {
  // The SDK must not log: it would log events that it cannot parse, with their content.
  const client = new Anthropic({ apiKey, baseURL: baseUrl, maxRetries: 0, timeout: idleMs + 60_000, logLevel: 'off' });
  return {
    name,

    stream: (request, signal) =>
      streamAnswer(
        {
          provider: name,
          idleMs,
          open: async (openSignal) => {
            const parameters = {
              ...replaceLoneSurrogates(anthropicPrompt(request)),
              max_tokens: request.maxOutputTokens,
              stream: true as const,
            };
            const { data, response } = await client.messages.create(parameters, { signal: openSignal }).withResponse();
            return { pieces: data, headers: response.headers };
          },
          parseLimits: (headers) => parseRateLimits(headers, anthropicRateLimitHeaders),
          parseFailure,
        },
        new AnthropicAnswer(request),
        signal,
      ),

    async countTokens(request, signal) {
      try {
        const { input_tokens } = await client.messages.countTokens(replaceLoneSurrogates(anthropicPrompt(request)), {
          signal,
          timeout: 30_000,
        });
        return input_tokens;
      } catch (error) {
        if (signal.aborted) throw error;
        throw providerError(name, parseFailure(error) ?? { message: 'the count broke off' }, error);
      }
    },
  };
}

function parseFailure(error: unknown): ProviderFailure | undefined {
  if (!(error instanceof APIError)) return undefined;
  const { status, type, errorCode, headers, apiMessage, message } = error as APIError;
  return {
    status,
    type: type ?? undefined,
    code: errorCode ?? undefined,
    headers,
    message: apiMessage ?? message,
  };
}
