import { describe, expect, test } from '@jest/globals';
import { createHttpReranker } from '../../../knowledge/search/rerank/http-reranker.ts';
import { loadConfig } from '../../../runtime/config.ts';

const configOf = (variables: Record<string, string>) =>
  loadConfig({ DATABASE_URL: 'postgres://db/alfred', ...variables });

/** The error that a call throws; undefined when it throws none. */
function errorOf(call: () => unknown): Error | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

describe('the configuration of a reranker', () => {
  const url = 'http://localhost:8080/v1/rerank';
  test.each([
    [{ RERANK_URL: url }, 'RERANK_MODEL is not set: is needed with RERANK_URL'],
    [{ RERANK_MODEL: 'm' }, 'RERANK_MODEL is "m": expected together with RERANK_URL'],
    [{ RERANK_API_KEY: 'hunter2' }, 'RERANK_API_KEY is wrong: expected together with RERANK_URL'],
    [{ RERANK_URL: 'localhost:8080', RERANK_MODEL: 'm' }, 'expected http://host:port/v1/rerank'],
    [{ RERANK_URL: 'nowhere', RERANK_MODEL: 'm' }, 'RERANK_URL is "nowhere": expected http://host:port/v1/rerank'],
    [{ RERANK_URL: 'http://me:hunter2@host/rerank', RERANK_MODEL: 'm' }, 'put the key into RERANK_API_KEY'],
    [{ RERANK_URL: url, RERANK_MODEL: 'm', RERANK_FORMAT: 'voyage' }, 'RERANK_FORMAT is "voyage"'],
    [{ RERANK_URL: url, RERANK_MODEL: 'm', RERANK_CANDIDATES: '201' }, 'RERANK_CANDIDATES is "201"'],
    [{ RERANK_URL: url, RERANK_MODEL: 'm', RERANK_TIMEOUT_MS: '0' }, 'RERANK_TIMEOUT_MS is "0"'],
  ])('%j is refused at start, with what to do and without the secret', (variables, message) => {
    const error = errorOf(() => configOf(variables));
    expect(error?.message).toContain(message);
    expect(error?.message).not.toContain('hunter2');
  });

  test('without an address there is no reranker', () => {
    expect(createHttpReranker(configOf({}))).toBeUndefined();
  });
});
