import { expect, test } from '@jest/globals';
import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { AlfredError } from '../../contract/errors.ts';
import type { SlackDelivery, SlackThread } from '../../contract/ports/index.ts';
import { SlackCallError } from '../../slack/api-calls/call-error.ts';
import { createFailureReports, mayPass } from '../../slack/failures.ts';

const refused = (code: string) => new SlackCallError('chat.postMessage', code, 'refused');

test.each<[string, Error]>([
  ['no worker of Temporal answers in time', new WorkflowUpdateRPCTimeoutOrCancelledError('late')],
  ['Temporal is away', new AlfredError('temporal_unavailable')],
  ['Slack does not answer', new SlackCallError('users.info', 'unavailable', 'unknown')],
  ...['token_revoked', 'account_inactive', 'team_access_not_granted', 'org_login_required', 'http_403'].map(
    (code): [string, Error] => [`Slack refuses with ${code}`, refused(code)],
  ),
])('it may pass that %s', (_, error) => expect(mayPass(error)).toBe(true));

test.each<[string, unknown]>([
  ['an error of the code', new TypeError('x is undefined')],
  ['a request that no one may make', new AlfredError('invalid_request')],
  ...['channel_not_found', 'is_archived', 'user_not_found', 'user_not_in_channel', 'expired_trigger_id'].map(
    (code): [string, Error] => [`Slack's ${code}`, refused(code)],
  ),
])('%s does not pass', (_, error) => expect(mayPass(error)).toBe(false));

const identity = { botId: 'B1', botUserId: 'UBOT', team: 'T1', workspace: 'Acme' };
const message = { type: 'message', channel: 'C1', user: 'U1', ts: '5.1', thread_ts: '4.0', text: 'And now?' };
const deliveryOf = (event: object): SlackDelivery => ({
  key: 'k',
  kind: 'event',
  team: 'T1',
  lane: 'l',
  body: { team_id: 'T1', event: { ...event } },
});

function reports({ isKnown = false } = {}) {
  const sent: { team: string; text: string }[] = [];
  const replied: { userId: string; text: string }[] = [];
  return {
    sent,
    replied,
    ...createFailureReports({
      notices: { send: async ({ team }, text) => void sent.push({ team, text }) },
      replies: { send: async ({ userId }, { text }) => void replied.push({ userId, text }) },
      threads: { find: async () => (isKnown ? ({} as SlackThread) : undefined) },
      identity: Promise.resolve(identity),
    }),
  };
}
const failure = new TypeError('x is undefined');

test('a failure is not reported about a message that is not for Alfred', async () => {
  const report = reports();
  await report.reportFailure(deliveryOf(message), failure);
  expect(report.sent).toEqual([]);
});

test('in a thread where Alfred takes part a failure is reported, but not about a message for others', async () => {
  const report = reports({ isKnown: true });
  await report.reportFailure(deliveryOf({ ...message, text: '<@U2> and now?' }), failure);
  expect(report.sent).toEqual([]);
  await report.reportFailure(deliveryOf(message), failure);
  expect(report.sent).toMatchObject([{ text: expect.stringContaining('was not taken') }]);
});

test.each([
  ['a mention', { ...message, type: 'app_mention' }],
  ['a direct message', { ...message, channel: 'D1' }],
])('%s reads of its failure', async (_, event) => {
  const report = reports();
  await report.reportFailure(deliveryOf(event), new AlfredError('invalid_request', 'It is too long.'));
  expect(report.sent).toMatchObject([{ text: 'It is too long.' }]);
});

test('what was waited for in vain is reported as given up', async () => {
  const report = reports();
  await report.reportFailure(deliveryOf({ ...message, channel: 'D1' }), new AlfredError('temporal_unavailable'));
  expect(report.sent).toMatchObject([{ text: expect.stringContaining('for a day') }]);
});

test('a command that was waited for in vain is answered in private', async () => {
  const report = reports();
  const body = { command: '/alfred', text: 'ask Why?', team_id: 'T1', channel_id: 'C1', user_id: 'U1' };
  const command: SlackDelivery = { key: 'k', kind: 'command', team: 'T1', lane: 'l', body };
  await report.reportWait(command);
  await report.reportFailure(command, new SlackCallError('chat.postMessage', 'missing_scope', 'refused'));
  expect(report.replied).toEqual([{ userId: 'U1', text: expect.stringContaining('for a day') }]);
  expect(report.sent).toEqual([]);
});

test('the stop button of Slack waits and is given up with a line, and a reply in the thread is no stop', async () => {
  const report = reports();
  const stop = deliveryOf({
    type: 'agent_session_stopped',
    channel: 'C1',
    user: 'U1',
    thread_ts: '4.0',
    event_ts: '5.2',
  });
  await report.reportWait(stop);
  await report.reportFailure(stop, new AlfredError('temporal_unavailable'));
  expect(report.sent).toMatchObject([
    { text: expect.stringContaining('is kept') },
    { text: expect.stringContaining('for a day') },
  ]);
  await report.reportWait(deliveryOf(message));
  expect(report.sent).toHaveLength(2);
});

test('a form or a person that Slack refuses is reported, and a line that it refused is not tried again', async () => {
  const report = reports();
  const form = new SlackCallError('views.open', 'view_too_large', 'refused');
  const body = {
    type: 'block_actions',
    team: { id: 'T1' },
    user: { id: 'U1' },
    channel: { id: 'C1' },
    message: { ts: '5.1' },
    actions: [{ action_id: 'approval_review', value: 'v' }],
  };
  await report.reportFailure({ key: 'k', kind: 'interactive', team: 'T1', lane: 'l', body }, form);
  expect(report.sent).toMatchObject([{ text: expect.stringContaining('nothing was done') }]);
  const direct = deliveryOf({ ...message, channel: 'D1' });
  await report.reportFailure(direct, new SlackCallError('users.info', 'user_disabled', 'refused'));
  expect(report.sent).toMatchObject([{}, { text: expect.stringContaining('was not taken') }]);
  await report.reportFailure(direct, refused('msg_too_long'));
  expect(report.sent).toHaveLength(2);
});

test('a report goes to the workspace that Alfred is in, and not to the one that the event names', async () => {
  const report = reports();
  const delivery = deliveryOf({ ...message, channel: 'D1' });
  await report.reportFailure({ ...delivery, body: { ...delivery.body, team_id: 'T9' } }, failure);
  expect(report.sent).toMatchObject([{ team: 'T1' }]);
});

test('while Slack has not said who Alfred is there, nothing rejects that is not caught', async () => {
  const rejected: unknown[] = [];
  const note = (reason: unknown) => void rejected.push(reason);
  process.on('unhandledRejection', note);
  const unknown = Promise.reject(new Error('the process stops'));
  unknown.catch(() => undefined);
  createFailureReports({
    notices: { send: async () => undefined },
    replies: { send: async () => undefined },
    threads: { find: async () => undefined },
    identity: unknown,
  });
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(rejected).toEqual([]);
});
