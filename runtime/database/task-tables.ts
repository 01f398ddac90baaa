import type { Generated } from 'kysely';

export type Owned = { tenant: string; subject: string };

export type UsageColumns<T> = {
  input_tokens: T;
  cache_read_tokens: T;
  cache_write_tokens: T;
  output_tokens: T;
  cost_usd: T;
};

export type TaskTable = Owned &
  UsageColumns<Generated<number>> & {
    id: string;
    agent: string;
    status: string;
    conversation_id: string | null;
    /** The task that delegated this one. */
    parent_id: Generated<string | null>;
    /** The tasks above it, the first one first and its parent last. */
    ancestors: Generated<string[]>;
    schedule_id: Generated<string | null>;
    /** What the tenant has set for the agent; null: nothing. */
    settings_version: Generated<number | null>;
    /** The memories that it was given; null: none were looked for. */
    memories: Generated<string[] | null>;
    metadata: Generated<unknown>;
    budget: Generated<unknown>;
    idempotency_key: string | null;
    request_hash: string;
    input_head: string;
    model: string | null;
    result_hash: string | null;
    error_code: string | null;
    error_message: string | null;
    waiting: unknown;
    run_id: string | null;
    streaming: string | null;
    paid_step: Generated<number>;
    roles: Generated<string[]>;
    principal: Generated<unknown>;
    /** Why a task that is `completed` has no answer: `budget`. Null when it has one. */
    incomplete: string | null;
    cancel_request: unknown;
    erased_at: Date | null;
    erase_requested_at: Date | null;
    model_calls: Generated<number>;
    last_seq: Generated<number>;
    priority: number | null;
    created_at: Generated<Date>;
    /** Null for rows from before the column. */
    inserted_at: Generated<Date | null>;
    started_at: Date | null;
    ended_at: Date | null;
    updated_at: Generated<Date>;
  };

/** The delegate calls of tasks, and the shares of the budgets that they have. */
export type DelegationTable = {
  child_id: string;
  parent_id: string;
  step: number;
  call_id: string;
  usd: Generated<number>;
  tokens: Generated<number>;
  calls: Generated<number>;
  started_at: Generated<Date>;
  ended_at: Date | null;
};

/** The messages of people that delegated tasks have taken while they ran. */
export type TaskSteeringTable = {
  task_id: string;
  conversation_id: string;
  message_id: string;
  taken_step: number;
  head: string;
};

/** The runs of tasks at agents that work elsewhere. */
export type RemoteRunTable = {
  task_id: string;
  url: string;
  call_id: string;
  /** The run of the workflow that began it. */
  run_id: string;
  state: 'begun' | 'sending' | 'running' | 'ended';
  remote_id: string | null;
  context_id: string | null;
  asks: Generated<boolean>;
  sent_at: Date | null;
  created_at: Generated<Date>;
};
