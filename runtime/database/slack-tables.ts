import type { Generated } from 'kysely';

type Place = { team: string; channel: string; thread_ts: string };
type Owned = { tenant: string; subject: string };
type Leased = { attempts: Generated<number>; due_at: Generated<Date>; owner: string | null; leased_until: Date | null };

/** What the Slack door has received and posted. */
export interface SlackTables {
  slack_inbox: Leased & {
    key: string;
    kind: string;
    team: string;
    lane: string;
    position: Generated<number>;
    body: unknown;
    kept: Generated<unknown>;
    received_at: Generated<Date>;
    completed_at: Date | null;
  };
  slack_threads: Place &
    Owned & {
      conversation_id: string;
      agent: string;
      created_at: Generated<Date>;
      askers: Generated<string[]>;
      begun_ts: string | null;
    };
  slack_posts: Place &
    Owned &
    Leased & {
      id: string;
      task_id: string;
      agent: string;
      user_id: string;
      question_ts: string;
      messages: Generated<unknown>;
      files: Generated<unknown>;
      seq: Generated<number>;
      created_at: Generated<Date>;
      finished_at: Date | null;
    };
  slack_files: Place &
    Owned & {
      ts: string;
      position: number;
      name: string;
      document_name: string | null;
      document_id: string | null;
      problem: string | null;
      question_ts: string | null;
      file_id: string | null;
      ingestion_id: string | null;
      begun_at: Generated<Date>;
      is_settled: Generated<boolean>;
      removed_at: Date | null;
    };
  slack_removals: { channel: string; ts: string; file_id: string; removed_at: Generated<Date> };
  slack_notifications: Leased & {
    id: string;
    kind: string;
    tenant: string;
    team: string;
    channel: string;
    messages: Generated<unknown>;
    code: string | null;
    created_at: Generated<Date>;
    changed_at: Generated<Date>;
    finished_at: Date | null;
  };
  slack_notification_causes: {
    receipt: string;
    notification_id: string;
    task_id: string | null;
    approval_id: string | null;
    schedule_id: string | null;
    run_key: string | null;
  };
  slack_link_codes: {
    team: string;
    user_id: string;
    tenant: string;
    user_name: string;
    workspace: string;
    code_hash: Buffer | null;
    subject: string | null;
    digits_hash: Buffer | null;
    wrong: Generated<number>;
    expires_at: Date;
  };
  slack_installations: {
    team: string;
    name: string;
    state: string;
    tenant: string | null;
    bot_id: string;
    bot_user_id: string;
    installed_by: string;
    token: Buffer | null;
    key_id: string | null;
    installed_at: Generated<Date>;
    allowed_at: Date | null;
    ended_at: Date | null;
  };
  slack_install_states: { hash: Buffer; expires_at: Date };
  slack_channels: {
    tenant: string;
    team: string;
    channel: string;
    is_on: Generated<boolean>;
    agent: string | null;
    user_ids: string[] | null;
    instructions: string | null;
    changed_by: string;
    changed_at: Generated<Date>;
  };
  slack_feedback: Owned & {
    task_id: string;
    team: string;
    user_id: string;
    value: string;
    comment: string | null;
    given_at: Generated<Date>;
  };
  slack_links: Owned & { team: string; user_id: string; linked_at: Generated<Date>; made_by: Generated<string> };
  slack_unlinked: { team: string; user_id: string; unlinked_at: Generated<Date> };
}
