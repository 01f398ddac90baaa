import type { ModelRequest } from '../../contract/ports/index.ts';
import { until } from '../support/until.ts';
import type { ApiHarness } from './api-harness.ts';
import type { AnyJson } from './checked-client.ts';

/** A model request in short: one entry a message, `> text` for the model's own text. */
export const outlineOf = ({ messages }: ModelRequest) =>
  messages.map((message): unknown => {
    if (message.role === 'user') return message.text;
    if (message.role === 'tool') return message.results.map(({ output }) => output);
    if (message.role === 'compaction') return message.role;
    return message.parts.map((part) =>
      part.type === 'text' ? `> ${part.text}` : part.type === 'tool_call' ? `call ${part.tool}` : part.type,
    );
  });

/** A model turn that lasts until it is released or cancelled. */
export function blockedTurn(text: string) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const turn = {
    text: [text],
    until: (signal: AbortSignal) =>
      new Promise<void>((done, fail) => {
        void promise.then(done);
        signal.addEventListener('abort', () => fail(signal.reason as Error));
      }),
  };
  return { turn, release: resolve };
}

/** Creates a conversation and returns what a user can do with it, over HTTP. */
export async function openConversation(api: ApiHarness, request: object = {}) {
  const { body: created } = await api.http.post('/v1/conversations', request);
  const id = created.id as string;
  const path = `/v1/conversations/${id}`;
  const listed = async () => (await api.http.get(`${path}/messages?limit=200`)).body.messages as AnyJson[];
  return {
    id,
    path,
    say: (text: string, more: object = {}) => api.http.post(`${path}/messages`, { text, ...more }),
    row: async () => (await api.http.get(path)).body,
    listed,
    /** Waits until no task runs and no message is queued. @returns all messages */
    quiet: (withinMs?: number) =>
      until(
        'no task runs and no message is queued',
        async () => {
          const row = (await api.http.get(path)).body;
          return row.runningTaskId === null && row.queued === 0 && listed();
        },
        withinMs === undefined ? {} : { withinMs },
      ),
    /** Waits until a task runs. @returns its id */
    running: () =>
      until('a task runs', async () => {
        const row = (await api.http.get(path)).body;
        if (row.runningTaskId === null) return undefined;
        const task = (await api.http.get(`/v1/tasks/${row.runningTaskId}`)).body;
        return task.status === 'running' && (row.runningTaskId as string);
      }),
    events: async () =>
      (await api.http.get(`${path}/events?after=0`, { accept: 'application/json' })).body.events as AnyJson[],
  };
}
export type TestConversation = Awaited<ReturnType<typeof openConversation>>;

/** The texts of all messages, in order; `> text` for answers. */
export const transcript = (messages: AnyJson[]) =>
  messages.map(({ role, text }) => (role === 'user' ? text : `> ${text}`));
/** The outcome and the state of each user message. */
export const messageStates = (messages: AnyJson[]) =>
  messages.filter(({ role }) => role === 'user').map(({ text, outcome, state }) => `${text}: ${outcome}, ${state}`);
