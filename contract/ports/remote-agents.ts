import type { JsonValue } from '../json.ts';
import type { TaskRef } from '../references.ts';
import type { Run } from './run.ts';

export type RemoteProtocol = 'a2a' | 'crewai';

/** A run of a remote agent, by the ids that it has there. */
export type RemoteRef = { remoteId: string; contextId?: string | undefined };

/** What a remote agent is asked. */
export type RemoteRequest = {
  /** Stays the same when the request is sent again. */
  key: string;
  text: string;
  /** The conversation there that this request continues. */
  contextId?: string | undefined;
  /** The run there that had asked something: this request is the answer. */
  remoteId?: string | undefined;
};

/** A request whose answer did not arrive, with the time when it was sent. */
export type LostRequest = RemoteRequest & { since: Date };

/**
 * How a run stands, as the remote agent says it. Every text is in its words, unchecked.
 *
 * - `asks`: it needs something from the person; `auth`: a sign-in that it describes.
 * - `failed`: it ended without an answer; `cancelled` there, or `refused` before it began.
 */
export type RemoteState =
  | ({ state: 'working'; progress?: string | undefined } & RemoteRef)
  | ({ state: 'asks'; text: string; needs: 'input' | 'auth' } & RemoteRef)
  | ({
      state: 'answered';
      text: string;
      data?: JsonValue | undefined;
      usage?: RemoteUsage | undefined;
    } & Partial<RemoteRef>)
  | ({ state: 'failed'; how: 'failed' | 'cancelled' | 'refused'; message?: string | undefined } & Partial<RemoteRef>);

/** What a run has used by its own count. */
export type RemoteUsage = { inputTokens: number; outputTokens: number; costUsd?: number | undefined };

/** Agents that work elsewhere, by the names that they have here. */
export interface RemoteAgents {
  /**
   * Asks an agent, and returns as soon as the run has an id there.
   *
   * @throws AlfredError `remote_unavailable` or `remote_refused` when nothing has begun there; `effect_unknown` when
   *   the request was sent and no answer came; `remote_failed` when the answer cannot be used
   */
  start(agent: string, request: RemoteRequest, signal: AbortSignal): Promise<RemoteState>;

  /**
   * Looks for the run of a request whose answer got lost.
   *
   * @returns undefined when the agent names none, which proves nothing; `impossible` when it cannot be asked
   * @throws AlfredError `remote_unavailable`
   */
  find(agent: string, request: LostRequest, signal: AbortSignal): Promise<RemoteState | 'impossible' | undefined>;

  /**
   * Yields how a run stands, now and, where the agent streams, at each change. It may end before the run does: the
   * caller watches again.
   *
   * @throws AlfredError `remote_unavailable` when the agent cannot be asked at present; `remote_refused`;
   *   `remote_failed` when its answer cannot be used or it does not know the run
   */
  watch(agent: string, run: RemoteRef, signal: AbortSignal): AsyncIterable<RemoteState>;

  /** Cancels a run. @returns false when the agent cannot cancel it @throws AlfredError as `watch` */
  cancel(agent: string, run: RemoteRef, signal: AbortSignal): Promise<boolean>;
}

/**
 * The run of a task at a remote agent.
 *
 * - `begun`: nothing was sent.
 * - `sending`: a request was sent, or is about to be, and no answer is stored.
 * - `running`: it has an id there.
 * - `ended`: nothing more is to be done there.
 */
export type RemoteRun = {
  /** The attempt, by its id in the ledger of model calls. */
  callId: string;
  state: 'begun' | 'sending' | 'running' | 'ended';
  url: string;
  sentAt: Date | undefined;
} & Partial<RemoteRef>;

export type RemoteEnd = { remoteId: string | undefined; contextId: string | undefined; asks: boolean };

/**
 * The runs of tasks at remote agents, as rows. Every write is safe to repeat. Each names its call, and returns false
 * when another attempt was first and has begun another one.
 */
export interface RemoteRuns {
  /**
   * Stores the run of a task, unless it has one. One that has ended for another run of the workflow is begun again: a
   * person has reset the workflow.
   *
   * @returns the stored one
   */
  begin(task: TaskRef, run: Run, begun: { callId: string; url: string }): Promise<RemoteRun>;

  find(task: TaskRef): Promise<RemoteRun | undefined>;

  /** begun → sending. @returns false when another attempt was first */
  markSending(task: TaskRef, callId: string): Promise<boolean>;

  /** sending → running */
  markRunning(task: TaskRef, callId: string, run: RemoteRef): Promise<boolean>;

  /** sending → begun, with another call: the one before certainly did nothing, or may be made twice. */
  renew(task: TaskRef, callId: string, newCallId: string): Promise<boolean>;

  /**
   * Stores what goes on after the end of a run, ahead of its answer: so it is there when the answer is.
   *
   * @param end `asks`: the next message of the conversation is the answer to this run
   */
  noteEnd(task: TaskRef, callId: string, end: RemoteEnd): Promise<boolean>;

  /** Any state → ended. */
  markEnded(task: TaskRef, callId: string): Promise<boolean>;

  /** The conversation there of earlier tasks of the same conversation, and the run in it that waits for an answer. */
  findEarlier(task: TaskRef, url: string): Promise<Partial<RemoteRef> | undefined>;
}
