import { AlfredError } from '../../contract/errors.ts';
import type { ApprovalDecision } from '../../contract/approval.ts';
import type { ApprovalRow, SlackPost } from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import { decideAtDoor } from '../../contract/rules/policy.ts';
import { slackSubject } from '../asking/slack-principals.ts';
import { mayPass } from '../failures.ts';
import type { AskedApproval } from '../rendering/actions.ts';
import { escapeMrkdwn } from '../rendering/mrkdwn.ts';
import { approversMrkdwn, personMrkdwn } from '../rendering/people.ts';
import { createRecord, ownerOf, personOf, postAt, type ActingDeps } from './person.ts';
import type { Act } from './press.ts';

type Verdict = Pick<ApprovalDecision, 'decision' | 'comment' | 'edit'>;

/** Why a decision did not count, as mrkdwn. */
type Refusal = { code: AlfredError['code']; text: string };

/**
 * Decides about a call as the person who presses, with the arguments that the person saw. Safe to repeat: the same
 * decision by the same person is one.
 *
 * @returns why it did not count, for the person alone; undefined when it counts, or the person has read it already
 * @throws what may pass, like `temporal_unavailable`
 */
export const createDecide =
  (deps: ActingDeps) =>
  async (act: Act, asked: AskedApproval, verdict: Verdict): Promise<Refusal | undefined> => {
    const principal = await personOf(deps, act);
    const post = principal && (await postAt(deps, act, asked.taskId, principal));
    if (!post) return undefined;
    const { approvalId, argumentsHash } = asked;
    const record = createRecord(deps, 'decideApproval', approvalId);
    deps.audit.check();
    try {
      if (!decideAtDoor(principal, 'decide', 'approval').allowed) throw new AlfredError('role_missing');
      // A decision lets a task go on, which that of a suspended tenant does not.
      await deps.tenants.requireActive(post.tenant);
      const decided = await deps.control.approvals.decide(principal, approvalId, { ...verdict, argumentsHash });
      if (!decided) throw new AlfredError('not_found');
    } catch (error) {
      if (!(error instanceof AlfredError) || mayPass(error)) throw error;
      record.refused(principal, error);
      return { code: error.code, text: await describeRefusal(deps, { act, principal, post, approvalId }, error) };
    }
    await record.done(principal);
    return undefined;
  };

type About = { act: Pick<Act, 'team' | 'userId'>; principal: Principal; post: SlackPost; approvalId: string };

/** What a person reads who may not decide, or is too late. The approval is read as its requester, who may see it. */
export async function describeRefusal(
  { approvals }: Pick<ActingDeps, 'approvals'>,
  { act, principal, post, approvalId }: About,
  error: AlfredError,
): Promise<string> {
  const row = await approvals.get(ownerOf(post), approvalId);
  if (!row) return 'This is not there any more: the task was deleted.';
  if (row.status !== 'pending') return describeDecided(row, principal);
  if (['approval_forbidden', 'not_found', 'role_missing'].includes(error.code))
    return [
      `You may not decide this${error.code === 'approval_forbidden' ? `. ${escapeMrkdwn(error.message)}` : '.'}`,
      `It is to be decided by ${approversMrkdwn(row.approvers)}.`,
      `I know you as \`${escapeMrkdwn(principal.subject)}\`, ${describeRoles(principal)}.`,
      ...(isNamedWithoutLink(row, act, principal) ? [namedWithoutLink] : []),
    ].join(' ');
  return escapeMrkdwn(error.message);
}

/** With a link the person is another subject. Both at once would hide from four eyes who has asked. */
const isNamedWithoutLink = (
  { approvers }: Pick<ApprovalRow, 'approvers'>,
  act: About['act'],
  { subject }: Principal,
) => {
  const unlinked = slackSubject(act.team, act.userId);
  return subject !== unlinked && approvers.subjects?.includes(unlinked) === true;
};
const namedWithoutLink =
  'The rule names your Slack user, and your link makes you another subject: the rule has to name that one, or you end the link by `/alfred unlink`.';

const describeRoles = ({ roles }: Principal) =>
  roles.length === 0 ? 'with no roles' : `with the roles ${escapeMrkdwn(roles.join(', '))}`;

/** Who decided and how, for a person who is too late. */
export function describeDecided({ decision }: Pick<ApprovalRow, 'decision'>, { subject }: Pick<Principal, 'subject'>) {
  // The end of a task withdraws it, and so does a reset after which the task wants something else.
  if (!decision) return 'The task does not wait for this any more, so there is nothing to decide.';
  const { by, runs, comment } = decision;
  const how = runs ? 'approved' : 'denied';
  if (by === null) return `No one had decided in time: it was ${how} as its rule says.`;
  const note = comment === null ? '' : ` Comment: ${escapeMrkdwn(comment)}`;
  return `It was ${how} already, by ${by === subject ? 'you' : personMrkdwn(by)}.${note}`;
}
