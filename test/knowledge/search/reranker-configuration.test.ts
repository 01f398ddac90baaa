import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createReranker } from '../../../knowledge/search/rerank/create-reranker.ts';
import { loadConfig } from '../../../runtime/config.ts';

const configOf = (variables: Record<string, string>) =>
  loadConfig({ DATABASE_URL: 'postgres://db/alfred', ...variables });

const silent = pino({ level: 'silent' });

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
  const local = 'local:ms-marco-minilm';
  test.each([
    [{ RERANK_URL: url }, 'RERANK_MODEL is not set: is needed with RERANK_URL'],
    [{ RERANK_MODEL: 'm' }, 'RERANK_MODEL is "m": expected together with RERANK_URL'],
    [{ RERANK_API_KEY: 'hunter2' }, 'RERANK_API_KEY is wrong: expected together with RERANK_URL'],
    [
      { RERANK: 'local:bert' },
      'RERANK is "local:bert": expected none, local:ms-marco-minilm-l12, local:ms-marco-minilm or local:mmarco-minilm',
    ],
    [
      { RERANK: local, RERANK_URL: url, RERANK_MODEL: 'm' },
      'RERANK is "local:ms-marco-minilm": expected without RERANK_URL',
    ],
    [{ RERANK: local, RERANK_MODEL: 'm' }, 'RERANK_MODEL is "m": expected together with RERANK_URL'],
    [{ RERANK_MODEL_DIR: '/models' }, 'RERANK_MODEL_DIR is "/models": expected together with RERANK'],
    [{ RERANK_EVIDENCE: '0.5,0.1' }, 'RERANK_EVIDENCE is "0.5,0.1": expected together with RERANK or RERANK_URL'],
    [{ RERANK: local, RERANK_EVIDENCE: '0.5' }, 'RERANK_EVIDENCE is "0.5": expected two numbers, as 0.5,0.02'],
    [{ RERANK: local, RERANK_EVIDENCE: '0.1,0.5' }, 'expected the higher of the two numbers first'],
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
    expect(createReranker(configOf({}), silent)).toBeUndefined();
    expect(createReranker(configOf({ RERANK: 'none' }), silent)).toBeUndefined();
  });

  test('its candidates, time-out and thresholds of evidence depend on where it runs, and can be set', () => {
    const settings = (variables: Record<string, string>) => {
      const { candidates, timeoutMs, evidence } = createReranker(configOf(variables), silent) ?? {};
      return { candidates, timeoutMs, evidence };
    };
    const [own, remote] = [{ RERANK: local }, { RERANK_URL: url, RERANK_MODEL: 'm' }];
    expect(settings(own)).toEqual({ candidates: 12, timeoutMs: 5_000, evidence: undefined });
    expect(settings(remote)).toEqual({ candidates: 32, timeoutMs: 2_000, evidence: undefined });
    const set = { RERANK_CANDIDATES: '20', RERANK_TIMEOUT_MS: '900', RERANK_EVIDENCE: '2.5,-1' };
    const expected = { candidates: 20, timeoutMs: 900, evidence: { strong: 2.5, weak: -1 } };
    expect([settings({ ...own, ...set }), settings({ ...remote, ...set })]).toEqual([expected, expected]);
  });
});
