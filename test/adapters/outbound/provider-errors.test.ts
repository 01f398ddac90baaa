import { expect, test } from '@jest/globals';
import { providerError, type ProviderFailure } from '../../../adapters/outbound/provider-errors.ts';

// provider-failures.conformance.test.ts in test/adapters/models checks the errors that the scripted servers send. These
// are wordings of other servers.

test.each<[ProviderFailure, string]>([
  [{ status: 400, code: 'content_filter', message: 'The prompt triggered a policy.' }, 'model_refused'],
  [{ status: 402, type: 'billing_error', message: 'pay' }, 'model_auth'],
  [{ status: 403, type: 'permission_error', message: 'no' }, 'model_auth'],
  [{ status: 404, type: 'not_found_error', message: 'model: x' }, 'model_auth'],
  [{ status: 404, type: 'NotFoundError', message: 'The model `x` does not exist.' }, 'model_auth'],
  // These may be about what the request contains.
  [{ status: 402, message: 'This request requires more credits, or fewer max_tokens.' }, 'model_denied'],
  [{ status: 403, message: 'Your input was flagged.' }, 'model_denied'],
  [{ status: 404, message: 'No endpoints found that support tool use.' }, 'model_denied'],
  [
    { status: 400, message: 'input length and `max_tokens` exceed context limit: 9 + 2 > 10' },
    'model_context_overflow',
  ],
  [
    { status: 400, message: 'max_tokens: 99 > 64, which is the maximum allowed number of output tokens' },
    'model_rejected',
  ],
  [{ status: 413, type: 'request_too_large', message: 'Request exceeds the maximum size' }, 'model_context_overflow'],
  [{ status: 408, message: 'timeout' }, 'model_unavailable'],
  [{ status: 409, message: 'conflict' }, 'model_unavailable'],
  [{ status: 502, message: '<html>' }, 'model_unavailable'],
  [{ message: 'Connection error.' }, 'model_unavailable'],
])('%j becomes %s', (failure, code) => {
  expect(providerError('openai', failure)).toMatchObject({ code });
});

test.each([
  [`[{'type': 'missing', 'loc': ('body', 'x'), 'msg': 'Field required', 'input': {'text': 'my secret'}}]`],
  ['{"detail":[{"msg":"Field required","input":"my secret"}]}'],
  ["1 validation error: Field required [type=missing, input_value='my secret', input_type=str]"],
])('the part of the request that a server repeats is left out of the error: %s', (message) => {
  const error = providerError('openai', { status: 422, message }).message;
  expect(error).toContain('Field required');
  expect(error).not.toContain('secret');
});

test.each([
  [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
  [{ 'retry-after': '1.5' }, 1_500],
  [{ 'retry-after': '999999' }, 3_600_000],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, undefined],
  [{}, undefined],
])('%j means a retry after %s ms', (headers, retryAfterMs) => {
  const failure = { status: 429, message: 'slow down', headers: new Headers(headers) };
  expect(providerError('openai', failure).retryAfterMs).toBe(retryAfterMs);
});
