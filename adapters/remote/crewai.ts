import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import { parseJson } from '../../contract/json.ts';
import { Json } from '../../contract/json-schema.ts';
import type { RemoteState } from '../../contract/ports/index.ts';
import { shorten } from './a2a-state.ts';
import { asRead, asStart, checked, unfit, type RemoteClient } from './protocol.ts';

/** How long the list of a crew's inputs counts, in milliseconds. */
const inputsMs = 300_000;

const Inputs = z.object({ inputs: z.array(z.string().max(200)).max(200) });
const Kickoff = z.object({ kickoff_id: z.string().min(1) });

const count = z.int().nonnegative().max(1_000_000_000);
const TokenUsage = z.object({ prompt_tokens: count, completion_tokens: count });
const Result = z.union([
  z.string(),
  z.object({
    output: z.string().optional(),
    raw: z.string().optional(),
    json_dict: Json.nullish(),
    token_usage: TokenUsage.nullish(),
  }),
]);
/** The documented answer has `status`; deployed crews also send `state`, with the words of their task queue. */
const Status = z.object({
  status: z.string().nullish(),
  state: z.string().nullish(),
  current_task: z.string().nullish(),
  progress: z.object({ completed_tasks: z.number(), total_tasks: z.number() }).partial().nullish(),
  result: Result.nullish(),
  error: z.string().nullish(),
});
type Status = z.infer<typeof Status>;

const working = new Set(['running', 'started', 'pending', 'queued', 'retry']);
const answered = new Set(['completed', 'success']);
const failed = new Set(['error', 'failed', 'failure', 'revoked']);

type Crew = { agent: string; url: string; inputs: Readonly<Record<string, string>> | undefined };

/**
 * A crew of CrewAI: kicked off, and asked how it stands. Its API knows no key that would make a repeat safe, finds no
 * run by what was asked, and cancels none.
 */
export function createCrewClient({ agent, url, inputs }: Crew, fetchImpl: typeof fetch): RemoteClient {
  let required: { at: number; names: string[] } | undefined;

  const requiredInputs = async (signal: AbortSignal): Promise<string[]> => {
    if (required && Date.now() - required.at < inputsMs) return required.names;
    const answer = await asRead(signal, (limited) => call(`${url}/inputs`, { signal: limited }), agent);
    if (answer.status >= 400)
      throw new AlfredError('remote_refused', `The crew ${agent} refused to name its inputs (${answer.status}).`);
    const { inputs: names } = parse(agent, Inputs, answer.body);
    required = { at: Date.now(), names };
    return names;
  };

  const call = async (address: string, init: RequestInit) => {
    const headers = { Accept: 'application/json', ...(init.body ? { 'Content-Type': 'application/json' } : {}) };
    const response = await fetchImpl(address, { ...init, headers });
    return { status: response.status, body: parseJson(await response.text()) };
  };

  return {
    async start({ key, text }, signal) {
      const filled = fill({ agent, url, inputs }, await requiredInputs(signal), text);
      const body = JSON.stringify({ inputs: filled, meta: { requestId: key } });
      return asStart(
        signal,
        async (limited) => {
          const answer = await call(`${url}/kickoff`, { method: 'POST', body, signal: limited });
          if (answer.status >= 400)
            throw new AlfredError('remote_refused', `The crew ${agent} refused the kickoff (${answer.status}).`);
          return checked(agent, { state: 'working', remoteId: parse(agent, Kickoff, answer.body).kickoff_id });
        },
        agent,
      );
    },

    find: () => Promise.resolve('impossible'),

    async *watch({ remoteId }, signal) {
      const address = `${url}/status/${encodeURIComponent(remoteId)}`;
      const answer = await asRead(signal, (limited) => call(address, { signal: limited }), agent);
      if (answer.status === 404)
        throw new AlfredError('remote_failed', `The crew ${agent} does not know the run any more.`);
      if (answer.status >= 400)
        throw new AlfredError('remote_refused', `The crew ${agent} refused to say how it stands (${answer.status}).`);
      yield checked(agent, stateOf(agent, remoteId, parse(agent, Status, answer.body)));
    },

    cancel: () => Promise.resolve(false),
  };
}

/** The inputs of a kickoff. @throws AlfredError `remote_refused` when the settings leave out one that the crew needs */
function fill({ agent, inputs }: Crew, required: string[], text: string): Record<string, string> {
  const [only] = required;
  const templates = inputs ?? (required.length === 1 && only !== undefined ? { [only]: '{text}' } : {});
  const missing = required.filter((name) => !Object.hasOwn(templates, name));
  if (missing.length > 0)
    throw new AlfredError(
      'remote_refused',
      `The crew ${agent} needs the inputs ${shorten(missing.join(', '))}: give them in \`inputs\` of ALFRED_REMOTE_AGENTS, with {text} for the request.`,
    );
  return Object.fromEntries(
    Object.entries(templates).map(([name, template]) => [name, template.replaceAll('{text}', () => text)]),
  );
}

function stateOf(agent: string, remoteId: string, status: Status): RemoteState {
  const word = [status.status, status.state].map((one) => one?.toLowerCase() ?? '').find(isKnown);
  if (word === undefined) throw unfit(agent, 'it has no status that CrewAI documents');
  if (working.has(word)) return { state: 'working', remoteId, ...progressOf(status) };
  const message = status.error ? { message: shorten(status.error) } : {};
  if (failed.has(word)) return { state: 'failed', how: 'failed', remoteId, ...message };
  const { result } = status;
  const text = typeof result === 'string' ? result : (result?.output ?? result?.raw ?? '');
  if (!text.trim()) throw unfit(agent, 'it is empty');
  const { json_dict: data, token_usage: tokens } = typeof result === 'object' && result ? result : {};
  return {
    state: 'answered',
    remoteId,
    text,
    ...(data === undefined || data === null ? {} : { data }),
    ...(tokens ? { usage: { inputTokens: tokens.prompt_tokens, outputTokens: tokens.completion_tokens } } : {}),
  };
}

const isKnown = (word: string) => working.has(word) || answered.has(word) || failed.has(word);

function progressOf({ current_task: task, progress }: Status): { progress?: string } {
  const { completed_tasks: done, total_tasks: all } = progress ?? {};
  const counted = done === undefined || all === undefined ? '' : `${done} of ${all} tasks`;
  const text = [counted, task ?? ''].filter((part) => part !== '').join(' · ');
  return text ? { progress: shorten(text) } : {};
}

function parse<S extends z.ZodType>(agent: string, schema: S, body: unknown): z.infer<S> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw unfit(agent, 'it does not fit the API of CrewAI', parsed.error);
  return parsed.data;
}
