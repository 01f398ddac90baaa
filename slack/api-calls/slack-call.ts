export type SlackCall = {
  team: string;
  /** A method of the Web API: `chat.postMessage`. */
  method: string;
  /** The channel that is written to. Calls to it are paced. */
  channel?: string;
  /** Calls with the same name are made one after the other, in the order in which they were asked for. */
  order?: string;
  /** Asked right before each attempt, so that what has come meanwhile goes along. Undefined: no call is needed. */
  arguments: () => Record<string, unknown> | undefined;
  /** Goes before calls that are not. */
  isUrgent?: boolean;
  /** Takes the call back while it waits. A call that has been sent is waited for: its effect must be known. */
  signal?: AbortSignal;
};

/** The answers of methods, as far as callers read them. */
export type SlackAnswer = { ok: boolean; [field: string]: unknown };

/** One call, or one transfer of a file. `outcome`: `ok`, or how Slack names it. */
export type ObservedCall = { team: string; method: string; outcome: string; durationMs: number };
