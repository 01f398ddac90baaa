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
    received_at: Generated<Date>;
    completed_at: Date | null;
  };
  slack_threads: Place &
    Owned & { conversation_id: string; agent: string; created_at: Generated<Date>; askers: Generated<string[]> };
  slack_posts: Place &
    Owned &
    Leased & {
      id: string;
      task_id: string;
      agent: string;
      user_id: string;
      question_ts: string;
      messages: Generated<unknown>;
      seq: Generated<number>;
      created_at: Generated<Date>;
      finished_at: Date | null;
    };
  slack_notifications: Leased & {
    id: string;
    kind: string;
    tenant: string;
    team: string;
    channel: string;
    messages: Generated<unknown>;
    created_at: Generated<Date>;
    changed_at: Generated<Date>;
    finished_at: Date | null;
  };
  slack_notification_causes: { receipt: string; notification_id: string; task_id: string; approval_id: string | null };
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
  slack_links: Owned & { team: string; user_id: string; linked_at: Generated<Date> };
}
