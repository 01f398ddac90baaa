import type { ModelRequest } from '../../contract/ports/index.ts';
import { until } from '../support/until.ts';
import type { ApiHarness } from './api-harness.ts';
import type { AnyJson } from './checked-client.ts';

/** What a model was asked, in short: who said what. */
export const outlineOf = ({ messages }: ModelRequest) =>
  messages.map((message): unknown => {
    if (message.role === 'user') return message.text;
    if (message.role === 'tool') return message.results.map(({ output }) => output);
    if (message.role === 'compaction') return message.role;
    return message.parts.map((part) =>
      part.type === 'text' ? `> ${part.text}` : part.type === 'tool_call' ? `call ${part.tool}` : part.type,
    );
  });

/** A model's turn that lasts until it is let go, or cancelled. */
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

/** A person in a new conversation, over HTTP. */
export async function openConversation(api: ApiHarness, request: object = {}) {
  const { body: made } = await api.http.post('/v1/conversations', request);
  const id = made.id as string;
  const path = `/v1/conversations/${id}`;
  const listed = async () => (await api.http.get(`${path}/messages?limit=200`)).body.messages as AnyJson[];
  return {
    id,
    path,
    say: (text: string, more: object = {}) => api.http.post(`${path}/messages`, { text, ...more }),
    row: async () => (await api.http.get(path)).body,
    listed,
    /** Waits until nothing runs and nothing waits. @returns what was said and answered */
    quiet: (withinMs?: number) =>
      until(
        'nothing runs and nothing waits',
        async () => {
          const row = (await api.http.get(path)).body;
          return row.runningTaskId === null && row.queued === 0 && listed();
        },
        withinMs === undefined ? {} : { withinMs },
      ),
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

/** Who said what, in order. */
export const transcript = (messages: AnyJson[]) =>
  messages.map(({ role, text }) => (role === 'user' ? text : `> ${text}`));
/** What became of what people said. */
export const messageStates = (messages: AnyJson[]) =>
  messages.filter(({ role }) => role === 'user').map(({ text, outcome, state }) => `${text}: ${outcome}, ${state}`);
