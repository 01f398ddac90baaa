import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { blockedTurn } from '../../api/open-conversation.ts';
import { until } from '../../support/until.ts';
import { createInstallHarness, type InstallHarness } from './install-harness.ts';

let env: InstallHarness;
beforeAll(async () => {
  env = await createInstallHarness();
});
afterAll(() => env?.close());

let count = 0;
/** A workspace that has installed Alfred, with a person in it. */
async function installed({ tenant }: { tenant?: string } = {}) {
  const workspace = env.slack.addWorkspace({ name: `Company ${++count}`, installed: false });
  expect((await env.install(workspace)).status).toBe(200);
  if (tenant !== undefined) await env.slackInstallations.allow(workspace.id, tenant);
  const user = env.slack.addUser({ name: `person${count}`, workspace });
  return { workspace, user, channel: env.slack.directMessage(user, workspace).id };
}

const taskOf = async (team: string, user: { id: string }) =>
  (await env.tasks()).filter(({ subject }) => subject === `slack:${team}:${user.id}`);
const linesOf = (channel: string) => env.slack.viewAll(channel).filter(({ fromApp }) => fromApp);
async function processed() {
  await env.slack.settled();
  await env.inboxIsEmpty();
}

test('two workspaces are answered, each with its own token and for its own tenant', async () => {
  env.script(() => ({ text: ['Yes.'] }));
  const globex = await installed({ tenant: 'globex' });
  const acme = env.slack.addUser({ name: 'ada' });
  const acmeChannel = env.slack.directMessage(acme).id;
  const [ofGlobex, ofAcme] = [
    env.slack.say(globex.user, globex.channel, 'Is it so?'),
    env.slack.say(acme, acmeChannel, 'Is it so?'),
  ];
  expect((await env.answersIn(globex.channel, ofGlobex.ts))[0]?.shown).toContain('Yes.');
  expect((await env.answersIn(acmeChannel, ofAcme.ts))[0]?.shown).toContain('Yes.');
  expect(await taskOf(globex.workspace.id, globex.user)).toMatchObject([{ tenant: 'globex' }]);
  expect(await taskOf(env.slack.workspace.id, acme)).toMatchObject([{ tenant: 'local' }]);
  const toChannels = env.slack.calls.filter(({ args }) => typeof args['channel'] === 'string');
  const teamsOf = (channel: string) =>
    new Set(toChannels.filter(({ args }) => args['channel'] === channel).map((call) => call.workspace));
  expect(teamsOf(globex.channel)).toEqual(new Set([globex.workspace.id]));
  expect(teamsOf(acmeChannel)).toEqual(new Set([env.slack.workspace.id]));
});

test('in a workspace that is not let in a person reads why once, and nothing is answered', async () => {
  const { workspace, user, channel } = await installed();
  env.slack.say(user, channel, 'What is in your documents?');
  env.slack.say(user, channel, 'Hello?');
  await until('the person reads why', () => linesOf(channel).length > 0);
  await processed();
  expect(linesOf(channel).map(({ shown }) => shown)).toEqual([expect.stringContaining('have not let it in yet')]);
  await env.slack.command(user.id, channel, '/alfred', 'documents secret');
  await processed();
  expect(env.noticesIn(channel, user.id).at(-1)?.shown).toContain('have not let it in yet');
  expect(await taskOf(workspace.id, user)).toEqual([]);
});

test('a workspace that removes Alfred while it works loses its token, and the others are answered', async () => {
  const { workspace, user, channel } = await installed({ tenant: 'globex' });
  const { turn, release } = blockedTurn('Too late.');
  const requests = env.script([turn, { text: ['On time.'] }]);
  const { ts } = env.slack.say(user, channel, 'Will you be long?');
  await until('the model is asked', () => requests.length === 1);
  env.slack.uninstall(workspace);
  await until('the installation has ended', async () => (await env.rowOf(workspace))?.state === 'ended');
  expect(await env.rowOf(workspace)).toMatchObject({ isEmpty: true });
  release();

  const acme = env.slack.addUser({ name: 'ben' });
  const acmeChannel = env.slack.directMessage(acme).id;
  const asked = env.slack.say(acme, acmeChannel, 'And you?');
  expect((await env.answersIn(acmeChannel, asked.ts))[0]?.shown).toContain('On time.');
  // It is tried again for a day, as with any token that Slack refuses.
  const { rows } = await env.postgres.pool.query('select finished_at from slack_posts where thread_ts = $1', [ts]);
  expect(rows).toEqual([{ finished_at: null }]);

  expect((await env.install(workspace)).text).toContain('when the people who run it have let this workspace in');
  expect(await env.rowOf(workspace)).toEqual({ state: 'pending', tenant: null, isEmpty: false });
});

test('a workspace that an operator has removed is answered no more', async () => {
  const requests = env.script(() => ({ text: ['Yes.'] }));
  const { workspace, user, channel } = await installed({ tenant: 'globex' });
  await env.slackInstallations.end(workspace.id);
  env.slack.say(user, channel, 'Are you there?');
  await processed();
  expect(requests).toHaveLength(0);
  expect(linesOf(channel)).toEqual([]);
});

test('an installation whose token Slack refuses is in the health, and ends no other one', async () => {
  const { workspace, user, channel } = await installed({ tenant: 'globex' });
  env.script(() => ({ text: ['Yes.'] }));
  // As when Slack has ended it, and its event got lost.
  workspace.botToken = 'xoxb-another';
  env.slack.say(user, channel, 'Are you there?');
  const detail = async () => (await env.readiness.read()).dependencies['slack_workspaces']?.detail;
  expect(await until('a warning', detail)).toContain('alfred slack workspaces remove');
  expect((await env.readiness.read()).dependencies['slack']?.detail).toBeUndefined();
  // Its message waits for a token that counts.
  await env.slackInstallations.end(workspace.id);
  await env.postgres.pool.query('delete from slack_inbox where team = $1', [workspace.id]);
});

test('of a workspace that Alfred is not in nothing is stored', async () => {
  const payload = { team_id: 'T0STRANGER', type: 'event_callback', event_id: 'EvStranger' };
  const event = { type: 'message', channel: 'D1', channel_type: 'im', user: 'U1', text: 'Secret', ts: '1.0' };
  await env.slack.deliver('event', { ...payload, event }).first;
  const { rows } = await env.postgres.pool.query("select from slack_inbox where team = 'T0STRANGER'");
  expect(rows).toEqual([]);
  const { values } = await env.metrics.slackEvents.get();
  expect(values).toContainEqual(expect.objectContaining({ labels: expect.objectContaining({ outcome: 'left_out' }) }));
});
