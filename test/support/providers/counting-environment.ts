import { createAdapterEnvironment } from '../environment/adapter-environment.ts';
import { startCountingProvider } from './counting-provider.ts';

/**
 * A test environment whose only model is a counting provider.
 *
 * @param pieceMs the time between two pieces of an answer
 */
export async function createCountingEnvironment(pieceMs: number) {
  const provider = await startCountingProvider({ pieceMs });
  const env = await createAdapterEnvironment({
    ALFRED_MODEL: 'openai:counting',
    ALFRED_MODELS: '{"openai:counting": {"input": 1, "output": 1, "contextTokens": 200000}}',
    OPENAI_BASE_URL: provider.url,
  });
  return {
    ...env,
    provider,
    async close() {
      await env.close();
      await provider.close();
    },
  };
}
export type CountingEnvironment = Awaited<ReturnType<typeof createCountingEnvironment>>;
