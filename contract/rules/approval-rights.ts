import type { Approvers } from '../approval.ts';
import { hasOneOf } from '../roles.ts';

/** The facts that determine who may decide an approval. */
type ApprovalRights = {
  requester: string;
  approvers: Approvers;
  fourEyes: boolean;
  /** Present after the escalation. */
  escalatedTo?: Approvers | undefined;
};

/**
 * Explains why a person may not decide an approval. Without named approvers everyone in the tenant may decide.
 *
 * @returns the reason as a sentence, or undefined when the person may decide
 */
export function explainRefusal(
  { requester, approvers, fourEyes, escalatedTo }: ApprovalRights,
  by: { subject: string; roles: readonly string[] },
) {
  if (fourEyes && by.subject === requester) return 'Another person than the one who asked for the task must decide.';
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
