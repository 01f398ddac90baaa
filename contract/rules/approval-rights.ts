import type { Approvers } from '../approval.ts';
import type { Principal } from '../principal.ts';
import { hasOneOf } from '../roles.ts';

/** The facts that determine who may decide an approval. */
type ApprovalRights = {
  requester: string;
  /** Who made the API key that is the requester. Absent: it is no key. */
  keyCreator?: string | undefined;
  approvers: Approvers;
  fourEyes: boolean;
  /** Present after the escalation. */
  escalatedTo?: Approvers | undefined;
};

/**
 * Explains why a person may not decide an approval. Without named approvers everyone in the tenant may decide.
 *
 * A key does what its creator lets it do. With four eyes it is therefore no second person: it decides nothing, and its
 * creator does not decide what it asked for. Who else knows a key is not known, so this holds for every key. Those who
 * have rotated it are known to the database, which refuses them at the decision.
 *
 * @returns the reason as a sentence, or undefined when the person may decide
 */
export function explainRefusal(
  { requester, keyCreator, approvers, fourEyes, escalatedTo }: ApprovalRights,
  by: { subject: string; roles: readonly string[]; via?: Principal['via'] | undefined },
) {
  if (fourEyes && (by.subject === requester || by.subject === keyCreator))
    return 'Another person than the one who asked for the task must decide.';
  if (fourEyes && by.via === 'api_key')
    return 'A person must decide, and not an API key. Sign in as another person than the one who asked for the task.';
  const isAmong = ({ subjects = [], roles = [] }: Approvers) =>
    subjects.includes(by.subject) || hasOneOf(by.roles, roles);
  const isOpen = (approvers.subjects?.length ?? 0) + (approvers.roles?.length ?? 0) === 0;
  if (isOpen || isAmong(approvers) || (escalatedTo && isAmong(escalatedTo))) return undefined;
  return `It is to be decided by ${describeApprovers(approvers)}.`;
}

const describeApprovers = ({ subjects = [], roles = [] }: Approvers) =>
  [...subjects, ...roles.map((role) => `anybody with the role ${role}`)].join(', ');

/**
 * Describes an earlier decision, for a person who decides too late. `by` is null when the rule's time limit decided.
 */
export const describeVerdict = ({
  status,
  by,
  at,
  runs,
}: {
  status: string;
  by: string | null;
  at: string;
  runs: boolean;
}) =>
  by === null
    ? `No one had decided when its time was over, at ${at}: it ${runs ? 'was approved' : 'was denied'} as its rule says.`
    : `It was ${status} by ${by} at ${at}.`;
