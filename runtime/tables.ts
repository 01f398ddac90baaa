import type { Generated } from 'kysely';

/** The tables as kysely sees them; runtime/migrations/ is the truth. */
export interface Tables {
  contents: Owned & { hash: string; bytes: Buffer; created_at: Generated<Date> };
  messages: Owned & { hash: string; parent: string | null; depth: number; body: unknown; created_at: Generated<Date> };
  tasks: TaskTable;
  task_events: { task_id: string; seq: number; at: Generated<Date>; type: string; data: unknown };
  model_calls: ModelCallTable;
  tool_calls: {
    task_id: string;
    call_id: string;
    step: number;
    tool: string;
    result_hash: string | null;
    is_error: Generated<boolean>;
    started_at: Generated<Date>;
    ended_at: Date | null;
  };
  files: { tenant: string; hash: string; bytes: Buffer; created_at: Generated<Date> };
  documents: Owned & {
    id: string;
    name: string;
    title: string;
    media_type: string;
    content_hash: string;
    size_bytes: number;
    text: string;
    characters: number;
    chunk_count: number;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  chunks: {
    id: string;
    document_id: string;
    ordinal: number;
    heading_path: string[];
    page: number | null;
    text: string;
    start_at: number;
    end_at: number;
  };
  document_changes: { seq: Generated<number>; tenant: string; document_id: string; at: Generated<Date> };
  ingestions: Owned & { id: string; status: string; created_at: Generated<Date>; ended_at: Date | null };
  ingestion_files: {
    ingestion_id: string;
    ordinal: number;
    name: string;
    media_type: string;
    content_hash: string;
    size_bytes: number;
    state: string;
    document_id: string | null;
    error_code: string | null;
    error_message: string | null;
  };
}

type Owned = { tenant: string; subject: string };

type UsageColumns<T> = {
  input_tokens: T;
  cache_read_tokens: T;
  cache_write_tokens: T;
  output_tokens: T;
  cost_usd: T;
};

type TaskTable = Owned &
  UsageColumns<Generated<number>> & {
    id: string;
    agent: string;
    status: string;
    conversation_id: string | null;
    metadata: Generated<unknown>;
    budget: Generated<unknown>;
    idempotency_key: string | null;
    request_hash: string;
    input_head: string;
    model: string | null;
    result_hash: string | null;
    error_code: string | null;
    error_message: string | null;
    run_id: string | null;
    streaming: string | null;
    paid_step: Generated<number>;
    model_calls: Generated<number>;
    last_seq: Generated<number>;
    created_at: Generated<Date>;
    started_at: Date | null;
    ended_at: Date | null;
    updated_at: Generated<Date>;
  };

type ModelCallTable = UsageColumns<number> & {
  id: Generated<number>;
  task_id: string;
  step: number;
  attempt: number;
  outcome: string;
  provider: string;
  model: string;
  head: string | null;
  result_hash: string | null;
  stop_reason: string | null;
  duration_ms: number;
  first_token_ms: number | null;
  created_at: Generated<Date>;
};
