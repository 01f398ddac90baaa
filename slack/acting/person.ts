import { httpStatusOf, type AlfredError } from '../../contract/errors.ts';
import type {
  Approvals,
  Audit,
  Control,
  ConversationRows,
  FeedbackValue,
  SlackFeedback,
  SlackPost,
  SlackPosts,
  SlackThreads,
  Tasks,
  Tenants,
} from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import { auditOf, auditedOperations } from '../../contract/rules/audit-actions.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { Notices } from '../asking/notices.ts';
import { leastPrincipal, type SlackPrincipals } from '../asking/slack-principals.ts';
import type { Act } from './press.ts';

export type ActingDeps = {
  principals: SlackPrincipals;
  posts: Pick<SlackPosts, 'findByTask' | 'showAgain'>;
  threads: Pick<SlackThreads, 'find'>;
  approvals: Pick<Approvals, 'get'>;
  control: Pick<Control, 'approvals' | 'tasks'>;
  conversations: Pick<ConversationRows, 'get'>;
  tasks: Pick<Tasks, 'get'>;
  tenants: Pick<Tenants, 'requireActive'>;
  audit: Pick<Audit, 'check' | 'record' | 'note'>;
  feedback: SlackFeedback;
  /** A person thinks this of an answer, and did not before. */
  onFeedback: (value: FeedbackValue) => void;
  /** A person has pressed Undo. */
  onUndo: (outcome: 'begun' | 'refused') => void;
  notices: Notices;
  calls: SlackCalls;
};

type Who = Omit<Act, 'triggerId'>;

/**
 * The person who acts, with their own rights: also in a channel, whose subject has none that a person could use here.
 *
 * @returns undefined for one that may not act; a guest has read why
 */
export async function personOf({ principals, notices }: ActingDeps, act: Who): Promise<Principal | undefined> {
  const judgement = await principals.judge({ ...act, isDirect: true, isExternal: false });
  if ('refused' in judgement) await notices.send(act, judgement.refused);
  return 'principal' in judgement ? judgement.principal : undefined;
}

/**
 * What is shown of the task, when it is shown in this channel to people of this tenant: a workspace that has moved to
 * another tenant keeps its old messages.
 */
export async function postAt(
  { posts, notices }: ActingDeps,
  act: Who,
  taskId: string,
  { tenant }: Principal,
): Promise<SlackPost | undefined> {
  const post = await posts.findByTask(taskId);
  if (post?.team === act.team && post.channel === act.channel && post.tenant === tenant) return post;
  await notices.send(act, 'I do not know this message any more, so I did nothing.');
  return undefined;
}

/** Whose task it is: the person's, or in a channel the channel's. */
export const ownerOf = ({ tenant, subject }: Pick<SlackPost, 'tenant' | 'subject'>): Principal =>
  leastPrincipal(tenant, subject);

/** Writes to the audit log what a person has done in Slack, as the API does for its operation. */
export function createRecord({ audit }: Pick<ActingDeps, 'audit'>, operationId: string, id: string) {
  const { action, resource: type } = auditedOperations[operationId]!;
  const entryOf = ({ tenant, subject, kind, via }: Principal) => ({
    tenant,
    subject,
    kind,
    via,
    action,
    resource: { type, id },
  });
  return {
    done: (principal: Principal) => audit.record({ ...entryOf(principal), outcome: 'ok' }),
    refused(principal: Principal, { code }: AlfredError): void {
      const found = auditOf({ operationId, status: httpStatusOf(code), signedIn: true });
      if (found) audit.note({ ...entryOf(principal), outcome: found.outcome, code });
    },
  };
}
