/**
 * Servers that run models on the user's own machine and speak Chat Completions, by the name of their provider. `port`
 * is where each listens by itself.
 */
export const localModelServers = {
  ollama: { title: 'Ollama', variable: 'OLLAMA_BASE_URL', port: 11_434 },
  lmstudio: { title: 'LM Studio', variable: 'LMSTUDIO_BASE_URL', port: 1_234 },
  llamacpp: { title: 'llama.cpp', variable: 'LLAMACPP_BASE_URL', port: 8_080 },
  vllm: { title: 'vLLM', variable: 'VLLM_BASE_URL', port: 8_000 },
} as const;
export type LocalProvider = keyof typeof localModelServers;

export const localProviders = Object.keys(localModelServers) as LocalProvider[];

export const localBaseUrl = (port: number) => `http://127.0.0.1:${port}/v1`;
