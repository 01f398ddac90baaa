import type { Approvers } from '../approval.ts';
import { hasOneOf } from '../roles.ts';

/** What decides whether somebody may decide. */
type Rights = {
  requester: string;
  approvers: Approvers;
  fourEyes: boolean;
  /** Present once it was escalated. */
  escalatedTo?: Approvers | undefined;
};

/** Whether somebody may decide, and if not, why. Without approvers everybody in the tenant may. */
export function whyNot(
  { requester, approvers, fourEyes, escalatedTo }: Rights,
  by: { subject: string; roles: readonly string[] },
) {
  if (fourEyes && by.subject === requester) return 'Somebody else than who asked for the task must decide.';
  const isAmong = ({ subjects = [], roles = [] }: Approvers) =>
    subjects.includes(by.subject) || hasOneOf(by.roles, roles);
  const isOpen = (approvers.subjects?.length ?? 0) + (approvers.roles?.length ?? 0) === 0;
  if (isOpen || isAmong(approvers) || (escalatedTo && isAmong(escalatedTo))) return undefined;
  return `It is to be decided by ${namesOf(approvers)}.`;
}

const namesOf = ({ subjects = [], roles = [] }: Approvers) =>
  [...subjects, ...roles.map((role) => `anybody with the role ${role}`)].join(', ');

/** What was decided, for who comes too late. */
export const sentenceOfVerdict = ({
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
    ? `Nobody had decided when its time was over, at ${at}: it ${runs ? 'was approved' : 'was denied'} as its rule says.`
    : `It was ${status} by ${by} at ${at}.`;
