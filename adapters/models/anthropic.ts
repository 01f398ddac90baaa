import Anthropic, { APIError } from '@anthropic-ai/sdk';
import type { ModelProvider } from '../../contract/ports/index.ts';
import { AnthropicAnswer } from './anthropic-answer.ts';
import { promptOf } from './anthropic-request.ts';
import { providerError, type ProviderFailure } from '../outbound/provider-errors.ts';
import { anthropicLimitHeaders, limitsIn } from './rate-limit-headers.ts';
import { streamAnswer } from './stream-answer.ts';
import { wellFormed } from './well-formed.ts';

type Options = {
  apiKey: string;
  baseUrl: string;
  /**
   * Longest silence before a call is given up, in milliseconds. Long, because the SDK does not show the pings that
   * Anthropic sends while a model thinks, and because a call that is given up is paid for.
   */
  idleMs?: number | undefined;
};

const name = 'anthropic';

/** Claude by the official SDK, whose own retries are off: Temporal retries. */
export function createAnthropicProvider({ apiKey, baseUrl, idleMs = 8 * 60_000 }: Options): ModelProvider {
  // The SDK would log what it cannot parse, which may be what was said.
  const client = new Anthropic({ apiKey, baseURL: baseUrl, maxRetries: 0, timeout: idleMs + 60_000, logLevel: 'off' });
  return {
    name,

    stream: (request, signal) =>
      streamAnswer(
        {
          provider: name,
          idleMs,
          open: async (either) => {
            const parameters = {
              ...wellFormed(promptOf(request)),
              max_tokens: request.maxOutputTokens,
              stream: true as const,
            };
            const { data, response } = await client.messages.create(parameters, { signal: either }).withResponse();
            return { pieces: data, headers: response.headers };
          },
          limits: (headers) => limitsIn(headers, anthropicLimitHeaders),
          failure,
        },
        new AnthropicAnswer(request),
        signal,
      ),

    async countTokens(request, signal) {
      try {
        const { input_tokens } = await client.messages.countTokens(wellFormed(promptOf(request)), {
          signal,
          timeout: 30_000,
        });
        return input_tokens;
      } catch (error) {
        if (signal.aborted) throw error;
        throw providerError(name, failure(error) ?? { message: 'the count broke off' }, error);
      }
    },
  };
}

function failure(error: unknown): ProviderFailure | undefined {
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
