import type { Generated } from 'kysely';
import type { AuditTables } from './audit-tables.ts';
import type { ContactTables } from './contact-tables.ts';
import type { DocumentTables } from './document-tables.ts';
import type { SignInTables } from './sign-in-tables.ts';
import type { SlackTables } from './slack-tables.ts';
import type { SocialTables } from './social-tables.ts';
import type {
  DelegationTable,
  Owned,
  RemoteRunTable,
  TaskSteeringTable,
  TaskTable,
  UsageColumns,
} from './task-tables.ts';
import type { TenantTables } from './tenant-tables.ts';

/** The types of the tables for Kysely. They must match the schema that runtime/database/migrations/ creates. */
export interface Tables
  extends ContactTables, DocumentTables, AuditTables, SignInTables, SlackTables, SocialTables, TenantTables {
  contents: Owned & { hash: string; bytes: Buffer; created_at: Generated<Date> };
  messages: Owned & {
    hash: string;
    parent: string | null;
    depth: number;
    body: unknown;
    context_tokens: number | null;
    counted_by: string | null;
    created_at: Generated<Date>;
  };
  mcp_tools: McpToolTable;
  memories: Owned & {
    id: string;
    group_name: string | null;
    text: string;
    via: string;
    task_id: string | null;
    conversation_id: string | null;
    idempotency_key: string | null;
    request_hash: string;
    created_at: Generated<Date>;
    expires_at: Date;
  };
  tasks: TaskTable;
  task_events: {
    task_id: string;
    seq: number;
    conversation_seq: number | null;
    at: Generated<Date>;
    type: string;
    data: unknown;
    piece_ends: number[] | null;
  };
  model_calls: ModelCallTable;
  budgets: {
    id: string;
    max_usd: number | null;
    max_tokens: number | null;
    max_calls: number | null;
    usd: Generated<number>;
    tokens: Generated<number>;
    calls: Generated<number>;
    updated_at: Generated<Date>;
  };
  delegations: DelegationTable;
  task_steering: TaskSteeringTable;
  remote_runs: RemoteRunTable;
  model_gates: {
    model: string;
    failures: Generated<number>;
    failed_at: Date | null;
    open_since: Date | null;
    probe_at: Date | null;
    blocked_until: Date | null;
    requests_per_minute: number | null;
    tokens_per_minute: number | null;
    requests_left: number | null;
    tokens_left: number | null;
    refilled_at: Date | null;
  };
  parked_tasks: {
    task_id: string;
    model: string;
    tenant: string;
    parked_at: Generated<Date>;
    waiting_since: Generated<Date>;
    released_at: Date | null;
    releases: Generated<number>;
    left_at: Date | null;
  };
  artifacts: {
    id: string;
    task_id: string;
    step: number;
    call_id: string;
    ordinal: number;
    name: string;
    media_type: string;
    content_hash: string;
    size_bytes: number;
    created_at: Generated<Date>;
  };
  tool_calls: {
    task_id: string;
    call_id: string;
    step: number;
    tool: string;
    result_hash: string | null;
    full_hash: string | null;
    misuse: string | null;
    is_error: Generated<boolean>;
    effect: string | null;
    input: unknown;
    summary: string | null;
    left_at: Date | null;
    undo_state: string | null;
    undo_left_at: Date | null;
    undo_summary: string | null;
    undo_ended_at: Date | null;
    started_at: Generated<Date>;
    ended_at: Date | null;
  };
  approvals: ApprovalTable;
  callbacks: Owned & {
    task_id: string | null;
    ingestion_id: string | null;
    url: string;
    secret: string;
    state: Generated<string>;
    deliveries: Generated<number>;
    attempts: Generated<number>;
    last_attempt_at: Date | null;
    last_status: number | null;
    last_error: string | null;
    failing_since: Generated<Date | null>;
    delivered_at: Date | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
    push_id: Generated<string | null>;
  };
  conversations: ConversationTable;
  conversation_messages: ConversationMessageTable;
  conversation_events: {
    conversation_id: string;
    seq: number;
    at: Generated<Date>;
    task_id: string | null;
    task_seq: number | null;
    type: string | null;
    data: unknown;
  };
  schedules: Owned & {
    id: string;
    roles: Generated<string[]>;
    principal: Generated<unknown>;
    name: string;
    timing: unknown;
    action: unknown;
    paused: Generated<boolean>;
    note: string | null;
    idempotency_key: string | null;
    request_hash: string;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
    temporal_at: Date | null;
    deleted_at: Date | null;
  };
  schedule_runs: {
    schedule_id: string;
    key: string;
    task_id: string | null;
    conversation_id: string | null;
    message_id: string | null;
    error_code: string | null;
    error_message: string | null;
    started_at: Generated<Date>;
    /** Where the answer is to be posted. Null also when that is done. */
    slack_channel: string | null;
  };
  temporal_namespace: { singleton: Generated<boolean>; id: string; name: string; moved_at: Date | null };
  api_keys: {
    id: string;
    tenant: string;
    created_by: string;
    name: string;
    roles: string[];
    scopes: string[];
    secret_hash: Buffer;
    old_secret_hash: Buffer | null;
    old_until: Date | null;
    expires_at: Date | null;
    created_at: Generated<Date>;
    rotated_at: Date | null;
    rotated_by: Generated<string[]>;
    last_used_at: Date | null;
    revoked_at: Date | null;
  };
  request_limits: { key: string; points: Generated<number>; expire: number | null };
  unserved_agents: { agent: string; since: Date; seen_at: Date };
}

type ModelCallTable = UsageColumns<number> & {
  id: Generated<number>;
  call_id: string | null;
  task_id: string;
  tenant: string;
  agent: string;
  step: number;
  purpose: Generated<string>;
  budgets: Generated<string[]>;
  attempt: number;
  outcome: string;
  provider: string;
  model: string;
  head: string | null;
  result_hash: string | null;
  stop_reason: string | null;
  duration_ms: number;
  first_token_ms: number | null;
  is_counted: Generated<boolean>;
  created_at: Generated<Date>;
  ended_at: Date | null;
};

type ConversationTable = Owned & {
  id: string;
  agent: string;
  title: string | null;
  on_busy: string;
  metadata: Generated<unknown>;
  defaults: Generated<unknown>;
  idempotency_key: string | null;
  request_hash: string;
  head: string | null;
  last_seq: Generated<number>;
  last_position: Generated<number>;
  stop_request: unknown;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  archived_at: Date | null;
  deleted_at: Date | null;
  instructions: string | null;
};

type ConversationMessageTable = {
  conversation_id: string;
  id: string;
  position: number | null;
  content_hash: string;
  request: unknown;
  request_hash: string;
  roles: Generated<string[]>;
  principal: Generated<unknown>;
  task_id: string;
  state: Generated<string>;
  outcome: string | null;
  running_task_id: string | null;
  head: string | null;
  taken_step: number | null;
  created_at: Generated<Date>;
  decided_at: Date | null;
};

type ApprovalTable = Owned & {
  id: string;
  task_id: string;
  agent: string;
  step: number;
  call_id: string;
  tool: string;
  arguments: unknown;
  arguments_hash: string;
  rule: unknown;
  status: Generated<string>;
  requested_at: Generated<Date>;
  escalate_at: Date | null;
  escalated_at: Date | null;
  expires_at: Date;
  decided_at: Date | null;
  decided_by: string | null;
  comment: string | null;
  edited: unknown;
  decided_hash: string | null;
  note_hashes: Generated<string[]>;
  deciders: Generated<unknown>;
};

/** One row a tool of an MCP server, for the whole deployment. */
export type McpToolTable = {
  server: string;
  tool: string;
  fingerprint: string;
  definition: unknown;
  seen_at: Generated<Date>;
  accepted_fingerprint: string | null;
  accepted_definition: unknown;
  accepted_by: string | null;
  accepted_at: Date | null;
};
