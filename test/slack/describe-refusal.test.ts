import { expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import type { ApprovalRow, SlackPost } from '../../contract/ports/index.ts';
import { describeRefusal } from '../../slack/acting/decide.ts';
import { leastPrincipal } from '../../slack/asking/slack-principals.ts';

/** What Anna reads who presses, when these may decide. */
function refusalFor(subject: string, approvers: ApprovalRow['approvers']) {
  const row = { status: 'pending', approvers } as ApprovalRow;
  const post = { tenant: 'acme', subject: 'slack:T1:C1' } as SlackPost;
  const about = {
    act: { team: 'T1', userId: 'U1' },
    principal: leastPrincipal('acme', subject),
    post,
    approvalId: 'a',
  };
  return describeRefusal({ approvals: { get: async () => row } }, about, new AlfredError('approval_forbidden'));
}

test('an approver who is named by Slack user and has linked since reads what to do', async () => {
  const text = await refusalFor('anna', { subjects: ['slack:T1:U1'] });
  expect(text).toContain('It is to be decided by <@U1>.');
  expect(text).toContain('I know you as `anna`');
  expect(text).toContain('your link makes you another subject');
});

test.each<[string, ApprovalRow['approvers']]>([
  ['slack:T1:U1', { subjects: ['slack:T1:U2'] }],
  ['anna', { subjects: ['slack:T2:U1'] }],
  ['anna', { roles: ['boss'] }],
])('%s reads nothing of a link when %o may decide', async (subject, approvers) => {
  expect(await refusalFor(subject, approvers)).not.toContain('your link');
});
