import { TaskState, type Artifact, type Message, type Part, type Task } from '@a2a-js/sdk';
import { z } from 'zod';
import type { JsonValue } from '../../contract/json.ts';
import type { RemoteState, RemoteUsage } from '../../contract/ports/index.ts';
import { checked, unfit } from './protocol.ts';

/** Longest text of an interim report that is shown, in characters. */
const maxProgressLength = 500;

/** What an agent may state of its usage: `usage` in the metadata of its task or message. A2A has no field for it. */
const Usage = z.object({
  inputTokens: z.int().nonnegative().max(1_000_000_000),
  outputTokens: z.int().nonnegative().max(1_000_000_000),
  costUsd: z.number().nonnegative().optional(),
});

/** How a task of A2A stands. @throws AlfredError `remote_failed` when it does not fit the protocol */
export function stateOfTask(agent: string, task: Task): RemoteState {
  if (!task.id || !task.status) throw unfit(agent, 'it names no task, or no state of it');
  const ref = { remoteId: task.id, ...(task.contextId ? { contextId: task.contextId } : {}) };
  const { state, message } = task.status;
  const words = textOf(message?.parts ?? []);
  switch (state) {
    case TaskState.TASK_STATE_SUBMITTED:
    case TaskState.TASK_STATE_WORKING:
      return checked(agent, { state: 'working', ...ref, ...progressOf(words) });
    case TaskState.TASK_STATE_INPUT_REQUIRED:
      return checked(agent, { state: 'asks', needs: 'input', ...ref, text: words || 'It asks for more.' });
    case TaskState.TASK_STATE_AUTH_REQUIRED:
      return checked(agent, { state: 'asks', needs: 'auth', ...ref, text: words || 'It asks for a sign-in.' });
    case TaskState.TASK_STATE_COMPLETED:
      return checked(agent, { state: 'answered', ...ref, ...answerOf(agent, task, words) });
    case TaskState.TASK_STATE_FAILED:
    case TaskState.TASK_STATE_CANCELED:
    case TaskState.TASK_STATE_REJECTED:
      return checked(agent, {
        state: 'failed',
        how: howOf(state),
        ...ref,
        ...(words ? { message: shorten(words) } : {}),
      });
    default:
      throw unfit(agent, 'it has a state that A2A does not know');
  }
}

/** An answer without a task. @throws AlfredError `remote_failed` */
export function stateOfMessage(agent: string, message: Message): RemoteState {
  const text = textOf(message.parts ?? []);
  if (!text) throw unfit(agent, 'it is empty');
  return checked(agent, {
    state: 'answered',
    text,
    ...(message.contextId ? { contextId: message.contextId } : {}),
    ...usageIn(message.metadata),
  });
}

/** The interim report of a status. */
export const progressOf = (words: string): { progress?: string } => (words ? { progress: shorten(words) } : {});

export const shorten = (text: string) =>
  text.length > maxProgressLength ? `${text.slice(0, maxProgressLength - 1).toWellFormed()}…` : text;

const howOf = (state: TaskState) => {
  if (state === TaskState.TASK_STATE_REJECTED) return 'refused';
  return state === TaskState.TASK_STATE_CANCELED ? 'cancelled' : 'failed';
};

/** The artifacts are the answer; without one, the last message of the agent. */
function answerOf(agent: string, task: Task, words: string) {
  const parts = (task.artifacts ?? []).flatMap((artifact: Artifact) => artifact.parts ?? []);
  const values = parts.flatMap(({ content }) => (content?.$case === 'data' ? [content.value as JsonValue] : []));
  const data = values.length === 1 ? values[0] : undefined;
  const text = textOf(parts) || words || lastWords(task);
  if (!text && data === undefined) throw unfit(agent, 'it is empty');
  return {
    text: text || JSON.stringify(data, undefined, 2),
    ...(data === undefined ? {} : { data }),
    ...usageIn(task.metadata),
  };
}

const lastWords = ({ history = [] }: Task) => {
  // 2 is the role of an agent.
  const last = history.findLast(({ role }) => Number(role) === 2);
  return textOf(last?.parts ?? []);
};

export const textOf = (parts: Part[]): string =>
  parts
    .map(textOfPart)
    .filter((text) => text !== '')
    .join('\n\n')
    .trim();

/** A file is named, and not fetched: its address is one that the agent chose. */
function textOfPart({ content, filename, mediaType }: Part): string {
  if (content?.$case === 'text') return content.value;
  if (content?.$case === 'url') return `(file ${filename || mediaType || 'without a name'}: ${content.value})`;
  if (content?.$case === 'raw') return `(file ${filename || mediaType || 'without a name'}, which is not read here)`;
  return '';
}

function usageIn(metadata: Task['metadata']): { usage?: RemoteUsage } {
  const usage = Usage.safeParse(metadata?.['usage']);
  return usage.success ? { usage: usage.data } : {};
}
