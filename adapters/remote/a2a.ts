import { Role, TaskState, type AgentCard, type StreamResponse, type Task } from '@a2a-js/sdk';
import {
  ClientFactory,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  RestTransportFactory,
  type Client,
} from '@a2a-js/sdk/client';
import {
  A2AError,
  ContentTypeNotSupportedError,
  ExtensionSupportRequiredError,
  RequestMalformedError,
  TaskNotCancelableError,
  TaskNotFoundError,
  UnsupportedOperationError,
  VersionNotSupportedError,
} from '@a2a-js/sdk/errors';
import { AlfredError } from '../../contract/errors.ts';
import type { LostRequest, RemoteRef, RemoteRequest, RemoteState } from '../../contract/ports/index.ts';
import { causeWithoutWords } from '../../runtime/cause-without-words.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import { progressOf, stateOfMessage, stateOfTask, textOf } from './a2a-state.ts';
import { asRead, asStart, requestMs, unfit, type RemoteClient } from './protocol.ts';

/** How long a card counts, in milliseconds. */
const cardMs = 300_000;
/** A stream that says nothing for so long is left, and the task is read instead. In milliseconds. */
const silenceMs = 60_000;
/** Messages of a task's history that are searched for ours. */
const searchedHistory = 20;

/** Errors that say that the agent did not take a request. After any other it may work on it. */
const refusals = [
  ContentTypeNotSupportedError,
  ExtensionSupportRequiredError,
  RequestMalformedError,
  TaskNotFoundError,
  UnsupportedOperationError,
  VersionNotSupportedError,
];

const outputModes = ['text/plain', 'application/json'];

type Opened = { client: Client; isStreaming: boolean };

/** An agent that speaks A2A, of version 1.0 or 0.3, by JSON-RPC or HTTP+JSON. */
export function createA2aClient(agent: string, url: string, fetchImpl: typeof fetch): RemoteClient {
  const legacyCompat = { enabled: true };
  const fetchCard: typeof fetch = (input, init) =>
    fetchImpl(input, { ...init, signal: AbortSignal.timeout(requestMs.read) });
  const resolver = new DefaultAgentCardResolver({ fetchImpl: fetchCard, legacyCompat });
  const factory = new ClientFactory({
    transports: [
      new JsonRpcTransportFactory({ fetchImpl, legacyCompat }),
      new RestTransportFactory({ fetchImpl, legacyCompat }),
    ],
    cardResolver: resolver,
  });
  let opened: { at: number; value: Promise<Opened> } | undefined;

  const open = (signal: AbortSignal): Promise<Opened> => {
    if (opened && Date.now() - opened.at < cardMs) return opened.value;
    const value = asRead(signal, () => openClient(agent, url, { resolver, factory }), agent);
    const entry = { at: Date.now(), value };
    opened = entry;
    value.catch(() => {
      if (opened === entry) opened = undefined;
    });
    return value;
  };

  return {
    async start(request, signal) {
      const { client } = await open(signal);
      return asStart(
        signal,
        async (limited) => {
          const answer = await client.sendMessage(messageOf(request), { signal: limited }).catch((error: unknown) => {
            throw faultOf(agent, error, 'start');
          });
          return 'messageId' in answer ? stateOfMessage(agent, answer) : stateOfTask(agent, answer);
        },
        agent,
      );
    },

    async find(request, signal) {
      const { client } = await open(signal);
      return asRead(signal, (limited) => findRun(agent, client, request, limited), agent);
    },

    async *watch(run, signal) {
      const current = await open(signal);
      const state = await readTask(agent, current.client, run, signal);
      yield state;
      if (state.state !== 'working' || !current.isStreaming) return;
      yield* follow(current, run, signal);
      yield await readTask(agent, current.client, run, signal);
    },

    async cancel({ remoteId }, signal) {
      const { client } = await open(signal);
      return asRead(
        signal,
        async (limited) => {
          try {
            await client.cancelTask({ tenant: '', id: remoteId, metadata: undefined }, { signal: limited });
            return true;
          } catch (error) {
            if (error instanceof TaskNotCancelableError || error instanceof TaskNotFoundError) return false;
            throw faultOf(agent, error);
          }
        },
        agent,
      );
    },
  };
}

async function openClient(
  agent: string,
  url: string,
  { resolver, factory }: { resolver: DefaultAgentCardResolver; factory: ClientFactory },
): Promise<Opened> {
  const cardUrl = url.endsWith('.json') ? url : `${url}/.well-known/agent-card.json`;
  try {
    const card = await resolver.resolve(cardUrl, '');
    const interfaces = ownInterfaces(agent, url, card);
    const client = await factory.createFromAgentCard({ ...card, supportedInterfaces: interfaces });
    return { client, isStreaming: card.capabilities?.streaming === true };
  } catch (error) {
    if (error instanceof AlfredError || (error as Error).name === 'TimeoutError') throw error;
    throw new AlfredError('remote_refused', `The remote agent ${agent} has no usable card of A2A at ${cardUrl}.`, {
      cause: causeWithoutWords(error),
    });
  }
}

/**
 * The interfaces at the address of the operator. A card is what the agent says of itself: with an interface at another
 * host it would send our secret there.
 */
function ownInterfaces(agent: string, url: string, card: AgentCard): AgentCard['supportedInterfaces'] {
  const { origin } = new URL(url);
  const all = card.supportedInterfaces ?? [];
  const own = all.filter(
    (one) =>
      URL.canParse(one.url) &&
      new URL(one.url).origin === origin &&
      ['JSONRPC', 'HTTP+JSON'].includes(one.protocolBinding.toUpperCase()),
  );
  if (own.length > 0) return own;
  const hosts = all.flatMap((one) => (URL.canParse(one.url) ? [new URL(one.url).origin] : [])).slice(0, 3);
  throw new AlfredError(
    'remote_refused',
    `The card of the remote agent ${agent} names no interface by JSON-RPC or HTTP+JSON at ${origin} (${hosts.join(', ') || 'it names none'}): give ALFRED_REMOTE_AGENTS the address that its card names.`,
  );
}

const messageOf = ({ key, text, contextId = '', remoteId = '' }: RemoteRequest) => ({
  tenant: '',
  message: {
    messageId: key,
    contextId,
    taskId: remoteId,
    role: Role.ROLE_USER,
    parts: [
      { content: { $case: 'text' as const, value: text }, metadata: undefined, filename: '', mediaType: 'text/plain' },
    ],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  },
  configuration: {
    acceptedOutputModes: outputModes,
    taskPushNotificationConfig: undefined,
    returnImmediately: true,
  },
  metadata: undefined,
});

async function readTask(agent: string, client: Client, { remoteId }: RemoteRef, signal: AbortSignal) {
  return asRead(
    signal,
    async (limited) => {
      const task = await client
        .getTask({ tenant: '', id: remoteId, historyLength: 1 }, { signal: limited })
        .catch((error: unknown) => {
          throw faultOf(agent, error);
        });
      return stateOfTask(agent, task);
    },
    agent,
  );
}

/** Yields interim reports until the stream ends, breaks or falls silent. The task, which is read then, counts. */
async function* follow(
  current: Opened,
  { remoteId, contextId }: RemoteRef,
  signal: AbortSignal,
): AsyncIterable<RemoteState> {
  const silence = new AbortController();
  const stop = linkAbort([signal, silence.signal]);
  let timer = setTimeout(() => silence.abort(), silenceMs);
  try {
    const stream = current.client.resubscribeTask({ tenant: '', id: remoteId }, { signal: stop.signal });
    for await (const event of stream) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMs);
      const report = reportIn(event);
      if (report === 'ended') return;
      if (report) yield { state: 'working', remoteId, ...(contextId ? { contextId } : {}), ...progressOf(report) };
    }
  } catch (error) {
    signal.throwIfAborted();
    // An agent whose card promises more than it does is read from time to time.
    if (error instanceof A2AError && !(error instanceof TaskNotFoundError)) current.isStreaming = false;
  } finally {
    clearTimeout(timer);
    stop.release();
  }
}

/** What an event of a stream reports; `ended` when the task works no longer. */
function reportIn({ payload }: StreamResponse): string {
  const status = payload?.$case === 'task' || payload?.$case === 'statusUpdate' ? payload.value.status : undefined;
  if (payload?.$case === 'message') return 'ended';
  if (!status) return '';
  const isWorking = [TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING].includes(status.state);
  return isWorking ? textOf(status.message?.parts ?? []) : 'ended';
}

/** Looks for the run that has our message. A list without it proves nothing: an agent need not keep messages. */
async function findRun(
  agent: string,
  client: Client,
  { key, contextId = '', remoteId, since }: LostRequest,
  signal: AbortSignal,
): Promise<RemoteState | 'impossible' | undefined> {
  const hasOurs = ({ history = [] }: Task) => history.some(({ messageId }) => messageId === key);
  try {
    if (remoteId !== undefined) {
      const task = await client.getTask({ tenant: '', id: remoteId, historyLength: searchedHistory }, { signal });
      return hasOurs(task) ? stateOfTask(agent, task) : undefined;
    }
    const { tasks = [] } = await client.listTasks(
      {
        tenant: '',
        contextId,
        status: TaskState.TASK_STATE_UNSPECIFIED,
        pageSize: 100,
        pageToken: '',
        historyLength: searchedHistory,
        // Clocks differ.
        statusTimestampAfter: new Date(since.getTime() - 60_000).toISOString(),
        includeArtifacts: false,
      },
      { signal },
    );
    const ours = tasks.find(hasOurs);
    return ours && stateOfTask(agent, await client.getTask({ tenant: '', id: ours.id }, { signal }));
  } catch (error) {
    if (error instanceof AlfredError && error.code !== 'remote_failed') throw error;
    signal.throwIfAborted();
    return 'impossible';
  }
}

/** What an error of the protocol means. Its words are those of the remote agent: neither message nor cause has them. */
function faultOf(agent: string, error: unknown, request: 'start' | 'read' = 'read'): unknown {
  if (error instanceof AlfredError || (error as Error).name === 'TimeoutError') return error;
  if ((error as Error).name === 'AbortError') return error;
  const cause = causeWithoutWords(error);
  if (request === 'read' && error instanceof TaskNotFoundError)
    return new AlfredError('remote_failed', `The remote agent ${agent} does not know the run any more.`, { cause });
  if (refusals.some((refusal) => error instanceof refusal))
    return new AlfredError(
      'remote_refused',
      `The remote agent ${agent} refused the request (${(error as Error).name}).`,
      {
        cause,
      },
    );
  if (error instanceof A2AError)
    return new AlfredError('effect_unknown', `The remote agent ${agent} answered with an error of its own.`, { cause });
  return unfit(agent, 'it does not fit the A2A protocol', cause);
}
