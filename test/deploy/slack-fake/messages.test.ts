import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type FakeWithClients, outcomeOf, startFakeWithClients } from '../../support/slack/slack-clients.ts';

let fake: FakeWithClients;
beforeEach(async () => {
  fake = await startFakeWithClients({ rateLimits: false });
});
afterEach(() => fake.stop());

describe('posting', () => {
  test('a posted message is what the person sees, in its thread', async () => {
    const { slack, client, ada, general } = fake;
    const question = slack.mention(ada, general, 'what is due?');
    await client.chat.postMessage({ channel: general.id, text: 'Nothing.', thread_ts: question.ts });
    expect(slack.view(general, question.ts).map(({ name, shown }) => [name, shown])).toEqual([
      ['ada', `<@${slack.workspace.botUserId}> what is due?`],
      ['alfred', 'Nothing.'],
    ]);
    expect(slack.view(general)).toHaveLength(1);
  });

  test('a reply to a reply goes to the same thread', async () => {
    const { slack, client, ada, general } = fake;
    const root = slack.say(ada, general, 'one');
    const reply = slack.say(ada, general, 'two', root.ts);
    await client.chat.postMessage({ channel: general.id, text: 'three', thread_ts: reply.ts });
    expect(slack.view(general, root.ts).map(({ shown }) => shown)).toEqual(['one', 'two', 'three']);
  });

  test('Slack escapes what people type, and leaves mentions alone', () => {
    const { slack, ada, general } = fake;
    slack.say(ada, general, `a < b & c, see https://example.com/x <@${ada.id}>`);
    expect(slack.view(general)[0]?.text).toBe(`a &lt; b &amp; c, see <https://example.com/x> <@${ada.id}>`);
  });

  test('a text beyond 40,000 characters is cut, one of markdown_text beyond 12,000 is refused', async () => {
    const { slack, client, general } = fake;
    const channel = general.id;
    await client.chat.postMessage({ channel, text: 'x'.repeat(40_001) });
    expect(slack.view(general)[0]?.text).toHaveLength(40_000);
    expect(await outcomeOf(client.chat.postMessage({ channel, markdown_text: 'x'.repeat(12_000) }))).toBe('ok');
    expect(await outcomeOf(client.chat.postMessage({ channel, markdown_text: 'x'.repeat(12_001) }))).toBe(
      'msg_too_long',
    );
  });

  test('refuses an empty message, and markdown_text beside text', async () => {
    const { client, general } = fake;
    const channel = general.id;
    expect(await outcomeOf(client.chat.postMessage({ channel, text: ' ' }))).toBe('no_text');
    const both = client.apiCall('chat.postMessage', { channel, text: 'a', markdown_text: 'b' });
    expect(await outcomeOf(both)).toBe('markdown_text_conflict');
  });

  test('an ephemeral message is seen by one person only', async () => {
    const { slack, client, ada, general } = fake;
    const bob = slack.addUser({ name: 'bob' });
    slack.invite(general, bob);
    await client.chat.postEphemeral({ channel: general.id, user: ada.id, text: 'for you' });
    expect(slack.view(general, undefined, { as: ada }).map(({ shown }) => shown)).toEqual(['for you']);
    expect(slack.view(general, undefined, { as: bob })).toEqual([]);
    expect(slack.view(general)).toEqual([]);
    const history = await client.conversations.history({ channel: general.id });
    expect(history.messages).toEqual([]);
  });

  test('an ephemeral message in a thread is shown only if the thread has a reply', async () => {
    const { slack, client, ada, general } = fake;
    const { ts } = slack.say(ada, general, 'hello');
    const post = (text: string) =>
      client.chat.postEphemeral({ channel: general.id, user: ada.id, text, thread_ts: ts });
    await post('unseen');
    slack.say(ada, general, 'more', ts);
    await post('seen');
    expect(slack.view(general, ts, { as: ada }).map(({ shown }) => shown)).toEqual(['hello', 'more', 'seen']);
  });

  test('an ephemeral message to a person outside the channel is refused', async () => {
    const { slack, client, general } = fake;
    const bob = slack.addUser({ name: 'bob' });
    const call = client.chat.postEphemeral({ channel: general.id, user: bob.id, text: 'for you' });
    expect(await outcomeOf(call)).toBe('user_not_in_channel');
  });
});

describe('updating and deleting', () => {
  test('an update replaces what is shown; the versions stay on record', async () => {
    const { slack, client, general } = fake;
    const { ts = '' } = await client.chat.postMessage({ channel: general.id, text: 'one' });
    await client.chat.update({ channel: general.id, ts, text: 'two' });
    const [message] = slack.view(general);
    expect(message).toMatchObject({ shown: 'two', edited: true });
    expect(message?.versions.map(({ shown }) => shown)).toEqual(['one', 'two']);
  });

  test('blocks stay when only metadata would change, and go when a text is given', async () => {
    const { slack, client, general } = fake;
    const blocks = [{ type: 'markdown', text: '**b**' }];
    const { ts = '' } = await client.chat.postMessage({ channel: general.id, text: 'fallback', blocks });
    await client.chat.update({ channel: general.id, ts, text: 'plain' });
    expect(slack.view(general)[0]).toMatchObject({ shown: 'plain', blocks: [] });
  });

  test.each([
    ['4,000 characters', 'x'.repeat(4_000), 'ok'],
    ['4,001 characters', 'x'.repeat(4_001), 'msg_too_long'],
    ['1,000 ampersands, which Slack escapes to 5,000 characters', '&'.repeat(1_000), 'msg_too_long'],
    ['2,001 letters of two bytes', 'ä'.repeat(2_001), 'msg_too_long'],
  ])('the text of an update: %s', async (_what, text, outcome) => {
    const { client, general } = fake;
    const { ts = '' } = await client.chat.postMessage({ channel: general.id, text: 'one' });
    expect(await outcomeOf(client.chat.update({ channel: general.id, ts, text }))).toBe(outcome);
  });

  test('markdown_text of an update may have 12,000 characters', async () => {
    const { slack, client, general } = fake;
    const { ts = '' } = await client.chat.postMessage({ channel: general.id, text: 'one' });
    await client.chat.update({ channel: general.id, ts, markdown_text: 'x'.repeat(12_000) });
    expect(slack.view(general)[0]?.shown).toHaveLength(12_000);
  });

  test("another's message is neither changed nor deleted", async () => {
    const { slack, client, ada, general } = fake;
    const { ts } = slack.say(ada, general, 'mine');
    const channel = general.id;
    expect(await outcomeOf(client.chat.update({ channel, ts, text: 'x' }))).toBe('cant_update_message');
    expect(await outcomeOf(client.chat.delete({ channel, ts }))).toBe('cant_delete_message');
    expect(await outcomeOf(client.chat.update({ channel, ts: '1.1', text: 'x' }))).toBe('message_not_found');
  });

  test('a deleted root of a thread leaves a tombstone, and the replies', async () => {
    const { slack, client, general } = fake;
    const { ts = '' } = await client.chat.postMessage({ channel: general.id, text: 'root' });
    await client.chat.postMessage({ channel: general.id, text: 'reply', thread_ts: ts });
    await client.chat.delete({ channel: general.id, ts });
    expect(slack.view(general, ts).map(({ shown }) => shown)).toEqual(['This message was deleted.', 'reply']);
  });
});

describe('who may read and write where', () => {
  test('a public channel without the app refuses posts and reading; a private one does not exist', async () => {
    const { slack, client, ada } = fake;
    const other = slack.addChannel({ name: 'other', members: [ada], withApp: false });
    const secret = slack.addChannel({ name: 'secret', kind: 'private', members: [ada], withApp: false });
    expect(await outcomeOf(client.chat.postMessage({ channel: other.id, text: 'x' }))).toBe('not_in_channel');
    expect(await outcomeOf(client.conversations.history({ channel: other.id }))).toBe('not_in_channel');
    for (const call of [
      client.chat.postMessage({ channel: secret.id, text: 'x' }),
      client.conversations.info({ channel: secret.id }),
      client.conversations.members({ channel: secret.id }),
      client.conversations.history({ channel: secret.id }),
    ])
      expect(await outcomeOf(call)).toBe('channel_not_found');
    const listed = await client.conversations.list({ types: 'public_channel,private_channel' });
    expect(listed.channels?.map(({ name }) => name)).toEqual(['general', 'other']);
  });

  test('an archived channel takes no message', async () => {
    const { slack, client, general } = fake;
    slack.archive(general);
    expect(await outcomeOf(client.chat.postMessage({ channel: general.id, text: 'x' }))).toBe('is_archived');
  });

  test('every method asks for its scope, and says which', async () => {
    await fake.stop();
    fake = await startFakeWithClients({ scopes: ['chat:write'] });
    const { client, ada, general } = fake;
    expect(await outcomeOf(client.users.info({ user: ada.id }))).toBe('missing_scope');
    expect(await outcomeOf(client.conversations.history({ channel: general.id }))).toBe('missing_scope');
    const refused = await client.reactions
      .add({ channel: general.id, timestamp: '1', name: 'eyes' })
      .catch((error) => error);
    expect(refused.data).toMatchObject({ error: 'missing_scope', needed: 'reactions:write', provided: 'chat:write' });
  });

  test('tokens: unknown, of another kind, and of a workspace that removed the app', async () => {
    const { slack, client, clientWith } = fake;
    expect(await outcomeOf(clientWith('xoxb-unknown').auth.test())).toBe('invalid_auth');
    expect(await outcomeOf(clientWith(slack.app.appToken).auth.test())).toBe('not_allowed_token_type');
    expect(await outcomeOf(client.apps.connections.open({}))).toBe('not_allowed_token_type');
    slack.uninstall(slack.workspace);
    expect(await outcomeOf(client.auth.test())).toBe('account_inactive');
  });

  test('each workspace has its own token, channels and people', async () => {
    const { slack, client, clientWith, general } = fake;
    const globex = slack.addWorkspace({ name: 'Globex' });
    const there = slack.addChannel({ name: 'general', workspace: globex });
    expect(await clientWith(globex.botToken).auth.test()).toMatchObject({ team: 'Globex', user_id: globex.botUserId });
    expect(await outcomeOf(client.chat.postMessage({ channel: there.id, text: 'x' }))).toBe('channel_not_found');
    const posted = clientWith(globex.botToken).chat.postMessage({ channel: general.id, text: 'x' });
    expect(await outcomeOf(posted)).toBe('channel_not_found');
  });

  test('users.info tells guests and people of other companies from members', async () => {
    const { slack, client } = fake;
    const guest = slack.addUser({ name: 'guest', kind: 'guest' });
    const external = slack.addUser({ name: 'eve', kind: 'external' });
    const { user } = await client.users.info({ user: guest.id });
    expect(user).toMatchObject({ is_restricted: true, profile: { email: 'guest@example.com' } });
    const { user: stranger } = await client.users.info({ user: external.id });
    expect(stranger).toMatchObject({ is_stranger: true, team_id: external.team });
    expect(stranger?.team_id).not.toBe(slack.workspace.id);
    expect(stranger?.profile?.email).toBeUndefined();
  });
});

describe('with another company', () => {
  test('events say who comes from where, and name files only by their id', async () => {
    const { slack, client } = fake;
    const eve = slack.addUser({ name: 'eve', kind: 'external' });
    const shared = slack.addChannel({ name: 'shared', members: [eve], external: true });
    const [mention] = slack.mention(eve, shared, 'hello').deliveries;
    expect(mention?.payload).toMatchObject({ is_ext_shared_channel: true, team_id: slack.workspace.id });
    expect(mention?.payload['event']).toMatchObject({ type: 'app_mention', user: eve.id, team: eve.team });
    const upload = slack.upload(eve, shared, { name: 'plan.txt', content: 'B' });
    const event = upload.deliveries[0]?.payload['event'] as { files: object[] };
    expect(event.files).toMatchObject([{ id: upload.files[0], file_access: 'check_file_info' }]);
    expect(event.files[0]).not.toHaveProperty('url_private');
    const { file } = await client.files.info({ file: upload.files[0] ?? '' });
    expect(file?.name).toBe('plan.txt');
    const { channel } = await client.conversations.info({ channel: shared.id });
    expect(channel).toMatchObject({ is_ext_shared: true });
  });
});

describe('several workspaces', () => {
  test('the app comes into a workspace by OAuth, and learns when it is removed', async () => {
    const { slack, clientWith } = fake;
    const globex = slack.addWorkspace({ name: 'Globex', installed: false });
    const access = (code: string) =>
      clientWith('').oauth.v2.access({ client_id: slack.app.clientId, client_secret: slack.app.clientSecret, code });
    const page = `${slack.url}/oauth/v2/authorize?client_id=${slack.app.clientId}&state=s&redirect_uri=http://localhost/back`;
    const { headers } = await fetch(page, { redirect: 'manual' });
    const { searchParams } = new URL(headers.get('location') ?? '');
    expect(searchParams.get('state')).toBe('s');
    const code = searchParams.get('code') ?? '';
    expect(await access(code)).toMatchObject({ team: { id: globex.id }, access_token: globex.botToken });
    expect(await outcomeOf(access(code))).toBe('invalid_code');
    const types = slack.uninstall(globex).map(({ payload }) => (payload['event'] as { type: string }).type);
    expect(types).toEqual(['tokens_revoked', 'app_uninstalled']);
    expect(await outcomeOf(clientWith(globex.botToken).auth.test())).toBe('account_inactive');
  });
});

describe('reading', () => {
  test('replies come with the root first, page by page, and after a time', async () => {
    const { slack, client, ada, general } = fake;
    const root = slack.say(ada, general, 'root');
    const replies = ['a', 'b', 'c'].map((text) => slack.say(ada, general, text, root.ts));
    const channel = general.id;
    const first = await client.conversations.replies({ channel, ts: root.ts, limit: 2 });
    expect(first.messages?.map(({ text }) => text)).toEqual(['root', 'a']);
    const cursor = first.response_metadata?.next_cursor ?? '';
    const second = await client.conversations.replies({ channel, ts: root.ts, limit: 2, cursor });
    expect(second.messages?.map(({ text }) => text)).toEqual(['b', 'c']);
    expect(second.has_more).toBe(false);
    const later = await client.conversations.replies({ channel, ts: root.ts, oldest: replies[1]?.ts ?? '' });
    expect(later.messages?.map(({ text }) => text)).toEqual(['root', 'c']);
    const earlier = await client.conversations.replies({ channel, ts: root.ts, latest: replies[1]?.ts ?? '' });
    expect(earlier.messages?.map(({ text }) => text)).toEqual(['root', 'a']);
    expect(await outcomeOf(client.conversations.replies({ channel, ts: '1.1' }))).toBe('thread_not_found');
    const noTime = client.conversations.replies({ channel, ts: root.ts, latest: 'now' });
    expect(await outcomeOf(noTime)).toBe('invalid_ts_latest');
  });

  test('a call is recorded with its outcome and time, and without its token', async () => {
    const { slack, client, general } = fake;
    await client.chat.postMessage({ channel: general.id, text: 'one' });
    await outcomeOf(client.chat.postMessage({ channel: 'C404', text: 'two' }));
    expect(slack.calls.map(({ method, outcome }) => [method, outcome])).toEqual([
      ['chat.postMessage', 'ok'],
      ['chat.postMessage', 'channel_not_found'],
    ]);
    expect(JSON.stringify(slack.calls)).not.toContain(slack.workspace.botToken);
  });
});
