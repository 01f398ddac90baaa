import { z } from 'zod';
import type { Config } from '../../runtime/config.ts';
import {
  localBaseUrl,
  localModelServers,
  localProviders,
  type LocalProvider,
} from '../../runtime/local-model-servers.ts';

/** Where a model server may be listening. `baseUrl` ends with `/v1`. */
export type ModelServerPlace = { provider: LocalProvider; baseUrl: string };
export type ModelServer = ModelServerPlace & { models: string[] };

/** How long the start waits for a server on this machine. It begins before the other servers, which take seconds. */
const answerWithinMs = 300;
const deadlineTicks = 30;
const maxListBytes = 1_000_000;
const shownModels = 3;

/** Only what can stand in a command that a person copies. */
const plainName = /^[\w.][\w./:@+-]{0,199}$/;
/** Models that make vectors do not answer. */
const vectorModel = /embed|minilm|\bbge|\be5\b|rerank/i;

const OllamaList = z.object({ models: z.array(z.object({ name: z.string() })) });
const OpenAiList = z.object({ object: z.literal('list'), data: z.array(z.object({ id: z.string() })) });

/**
 * The usual places of model servers on this machine, without the ports of this stack. llama.cpp has a second one,
 * because its first is Alfred's own.
 */
export function usualPlaces(ownPorts: readonly number[]): ModelServerPlace[] {
  return [
    ...localProviders.map((provider) => ({ provider, port: localModelServers[provider].port })),
    { provider: 'llamacpp' as const, port: 8_081 },
  ].flatMap(({ provider, port }) => (ownPorts.includes(port) ? [] : [{ provider, baseUrl: localBaseUrl(port) }]));
}

/** Whether the person has chosen a model, so that no other one is proposed. */
export const hasModel = ({ ALFRED_MODEL, ALFRED_AGENTS, ANTHROPIC_API_KEY }: Config): boolean =>
  [ALFRED_MODEL, ANTHROPIC_API_KEY, ...Object.values(ALFRED_AGENTS ?? {}).map(({ model }) => model)].some(Boolean);

/**
 * The model servers that answer, with their models. Each gets one GET for the list of its models and nothing else, all
 * at the same time. Never rejects: a place that is silent, slow or something else has no model server.
 */
export async function findModelServers(
  places: readonly ModelServerPlace[],
  withinMs = answerWithinMs,
): Promise<ModelServer[]> {
  const deadline = startDeadline(withinMs);
  const found = await Promise.all(
    places.map(async (place) => {
      const names = await listModels(place, deadline.signal).catch(() => undefined);
      if (!names) return [];
      return [{ ...place, models: names.filter((name) => plainName.test(name) && !vectorModel.test(name)) }];
    }),
  );
  deadline.clear();
  return found.flat();
}

/**
 * Aborts after a time in which this process was free. While it loads the code of workers and API it reads no answers,
 * and a plain timer would end first.
 */
function startDeadline(withinMs: number) {
  const deadline = new AbortController();
  let left = deadlineTicks;
  const timer = setInterval(() => {
    if (--left === 0) deadline.abort(new Error('no answer in time'));
  }, withinMs / deadlineTicks);
  return { signal: deadline.signal, clear: () => clearInterval(timer) };
}

async function listModels({ provider, baseUrl }: ModelServerPlace, signal: AbortSignal): Promise<string[]> {
  const url = new URL(provider === 'ollama' ? '/api/tags' : `${baseUrl}/models`, baseUrl);
  const response = await fetch(url, { redirect: 'error', signal });
  const body: unknown = JSON.parse(await readText(response));
  if (!response.ok) throw new Error(`status ${response.status}`);
  if (provider === 'ollama') return OllamaList.parse(body).models.map(({ name }) => name);
  return OpenAiList.parse(body).data.map(({ id }) => id);
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxListBytes) throw new Error('longer than a list of models');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Says which server answers, and the command that uses it. */
export function modelServerNote({ provider, baseUrl, models }: ModelServer): string {
  const { title, variable, port } = localModelServers[provider];
  const address = `${title} answers at ${new URL(baseUrl).host}`;
  const [first] = models;
  if (first === undefined) return `${address} and has no model that could answer yet`;
  const more = models.length > shownModels ? ` and ${models.length - shownModels} more` : '';
  const setting = baseUrl === localBaseUrl(port) ? '' : `${variable}=${baseUrl} `;
  // Without it, Ollama may cut what is longer than 4,096 tokens without a word.
  const advice = provider === 'ollama' ? '. It needs OLLAMA_CONTEXT_LENGTH=8192 or more' : '';
  return `${address} (${models.slice(0, shownModels).join(', ')}${more}). Let it answer: ${setting}npm start -- --model ${provider}:${first}${advice}`;
}
