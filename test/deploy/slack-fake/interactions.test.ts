import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createClock, type SettableClock } from '../../../deploy/slack/fake/clock.ts';
import {
  type Body,
  type FakeWithClients,
  outcomeOf,
  type Received,
  startFakeWithClients,
} from '../../support/slack/slack-clients.ts';

let fake: FakeWithClients;
let clock: SettableClock;
/** What the app does with an interaction. */
let onInteraction: (received: Received) => Promise<void>;

beforeEach(async () => {
  clock = createClock({ speed: 0 });
  fake = await startFakeWithClients({ clock, rateLimits: false });
  onInteraction = ({ ack }) => ack();
  await fake.connect((received) => (received.type === 'events_api' ? received.ack() : onInteraction(received)));
});
afterEach(() => fake.stop());

const plain = (text: string) => ({ type: 'plain_text' as const, text });
const approve = { type: 'button', action_id: 'approve', value: 'task-1', text: plain('Approve'), style: 'primary' };
const feedback = {
  type: 'feedback_buttons',
  action_id: 'feedback',
  positive_button: { text: plain('Good'), value: 'up' },
  negative_button: { text: plain('Bad'), value: 'down' },
};
const modal = {
  type: 'modal' as const,
  callback_id: 'comment',
  private_metadata: 'task-1',
  title: plain('Approve'),
  submit: plain('Send'),
  blocks: [
    {
      type: 'input',
      block_id: 'why',
      label: plain('Why?'),
      element: { type: 'plain_text_input', action_id: 'text', max_length: 10 },
    },
    {
      type: 'input',
      block_id: 'how',
      optional: true,
      label: plain('How?'),
      element: { type: 'static_select', action_id: 'way', options: [{ text: plain('Fast'), value: 'fast' }] },
    },
  ],
};

async function postButtons() {
  const { client, general } = fake;
  const blocks = [
    { type: 'actions', block_id: 'decision', elements: [approve] },
    { type: 'context_actions', elements: [feedback] },
  ];
  const { ts = '' } = await client.chat.postMessage({ channel: general.id, text: 'Approve?', blocks });
  return { channel: general.id, ts };
}

describe('buttons', () => {
  test('a press carries who, where and what', async () => {
    const { slack, ada, general } = fake;
    const message = await postButtons();
    const seen: Body[] = [];
    onInteraction = async ({ ack, body }) => void (seen.push(body), await ack());
    expect(await slack.press(ada, message, 'approve')).toMatchObject({ acknowledged: true });
    await slack.press(ada, message, 'feedback', 'negative');
    expect(seen[0]).toMatchObject({
      type: 'block_actions',
      user: { id: ada.id, team_id: slack.workspace.id },
      channel: { id: general.id },
      container: { message_ts: message.ts, is_ephemeral: false },
      message: { ts: message.ts, text: 'Approve?' },
      actions: [{ action_id: 'approve', block_id: 'decision', type: 'button', value: 'task-1' }],
    });
    expect(seen[1].actions).toMatchObject([{ type: 'feedback_buttons', value: 'down' }]);
  });

  test('a person presses neither is not there, nor what they do not see', async () => {
    const { slack, ada } = fake;
    const bob = slack.addUser({ name: 'bob' });
    const message = await postButtons();
    expect(() => slack.press(ada, message, 'deny')).toThrow('They have: approve, feedback');
    expect(() => slack.press(bob, message, 'approve')).toThrow('bob is not in channel');
  });

  test('an app that does not answer in three seconds: the person sees that it failed', async () => {
    const { slack, ada } = fake;
    const message = await postButtons();
    const { promise: isThere, resolve } = Promise.withResolvers<void>();
    onInteraction = async () => resolve();
    const pressed = slack.press(ada, message, 'approve');
    await isThere;
    clock.advance(3_000);
    expect(await pressed).toMatchObject({ acknowledged: false });
  });

  test('a response_url replaces the message and answers privately: five times, thirty minutes', async () => {
    const { slack, ada, general } = fake;
    const message = await postButtons();
    const urls: string[] = [];
    onInteraction = async ({ ack, body }) => void (urls.push(body.response_url), await ack());
    await slack.press(ada, message, 'approve');
    await slack.press(ada, message, 'approve');
    const post = async (url: string | undefined, body: object) =>
      (await fetch(url ?? '', { method: 'POST', body: JSON.stringify(body) })).text();
    await post(urls[0], { text: 'only you see this' });
    expect(slack.view(general)).toHaveLength(1);
    expect(slack.view(general, undefined, { as: ada }).at(-1)?.shown).toBe('only you see this');
    await post(urls[0], { replace_original: true, text: 'Approved.' });
    expect(slack.view(general)[0]?.shown).toBe('Approved.');
    for (let count = 0; count < 3; count += 1) await post(urls[0], { text: 'again' });
    expect(await post(urls[0], { text: 'once more' })).toContain('used_url');
    clock.advance(30 * 60_000 + 1);
    expect(await post(urls[1], { text: 'late' })).toContain('expired_url');
  });
});

describe('modals', () => {
  test('opens with a trigger, which works once and for three seconds', async () => {
    const { slack, client, ada } = fake;
    const message = await postButtons();
    const triggers: string[] = [];
    onInteraction = async ({ ack, body }) => void (triggers.push(body.trigger_id), await ack());
    await slack.press(ada, message, 'approve');
    await slack.press(ada, message, 'approve');
    const open = (trigger = '') => outcomeOf(client.views.open({ trigger_id: trigger, view: modal }));
    expect(await open('1.2.x')).toBe('invalid_trigger_id');
    expect(await open(triggers[0])).toBe('ok');
    expect(await open(triggers[0])).toBe('exchanged_trigger_id');
    clock.advance(3_001);
    expect(await open(triggers[1])).toBe('expired_trigger_id');
    expect(slack.modal(ada)).toMatchObject({
      title: 'Approve',
      callbackId: 'comment',
      shown: 'Why?: [text]\nHow?: [way]',
    });
  });

  /** Opens the modal as soon as the person presses the button. */
  const openModal = async () => {
    onInteraction = async ({ ack, body }) => {
      await ack();
      if (body.type === 'block_actions') await fake.client.views.open({ trigger_id: body.trigger_id, view: modal });
    };
    await fake.slack.press(fake.ada, await postButtons(), 'approve');
    while (!fake.slack.modal(fake.ada)) await new Promise((resolve) => setImmediate(resolve));
  };

  test('a submission carries the values; an answer without an action closes the modal', async () => {
    const { slack, ada } = fake;
    await openModal();
    const seen: Body[] = [];
    onInteraction = async ({ ack, body }) => void (seen.push(body), await ack());
    await slack.submit(ada, { text: 'fine', way: 'fast' });
    expect(seen[0]).toMatchObject({ type: 'view_submission', user: { id: ada.id } });
    expect(seen[0].view).toMatchObject({
      callback_id: 'comment',
      private_metadata: 'task-1',
      state: {
        values: {
          why: { text: { type: 'plain_text_input', value: 'fine' } },
          how: { way: { type: 'static_select', selected_option: { value: 'fast' } } },
        },
      },
    });
    expect(slack.modal(ada)).toBeUndefined();
  });

  test('errors are shown beside the fields, and the modal stays', async () => {
    const { slack, ada } = fake;
    await openModal();
    onInteraction = ({ ack }) => ack({ response_action: 'errors', errors: { why: 'Say more.' } });
    expect((await slack.submit(ada, { text: 'no' })).errors).toEqual({ why: 'Say more.' });
    expect(slack.modal(ada)).toBeDefined();
    onInteraction = ({ ack }) => ack({ response_action: 'update', view: { ...modal, title: plain('Thanks') } });
    await slack.submit(ada, { text: 'ok' });
    expect(slack.modal(ada)?.title).toBe('Thanks');
  });

  test("Slack's window holds back what is missing or too long", async () => {
    const { slack, ada } = fake;
    await openModal();
    await expect(slack.submit(ada)).rejects.toThrow('fill in "text"');
    await expect(slack.submit(ada, { text: 'x'.repeat(11) })).rejects.toThrow('too long');
    await expect(slack.submit(ada, { text: 'x', colour: 'red' })).rejects.toThrow('no "colour"');
  });

  test('a view beyond its limits is refused', async () => {
    const { client, ada } = fake;
    const publish = (view: object) => outcomeOf(client.apiCall('views.publish', { user_id: ada.id, view }));
    expect(await publish({ type: 'modal', blocks: [] })).toBe('invalid_arguments');
    expect(await publish({ type: 'home', blocks: [], private_metadata: 'x'.repeat(3_001) })).toBe('invalid_arguments');
    expect(await publish({ type: 'home', blocks: [{ type: 'header', text: plain('x'.repeat(151)) }] })).toBe(
      'invalid_arguments',
    );
    expect(await publish({ type: 'home', blocks: [{ type: 'header', text: plain('Tasks') }] })).toBe('ok');
    expect(fake.slack.home(ada)?.shown).toBe('Tasks');
  });
});

describe('shortcuts, commands, the app itself', () => {
  test('a shortcut in a message’s menu carries the message', async () => {
    const { slack, ada, general } = fake;
    const act = slack.say(ada, general, 'what is this?');
    const seen: Body[] = [];
    onInteraction = async ({ ack, body }) => void (seen.push(body), await ack());
    await slack.messageShortcut(ada, act, 'ask_about');
    expect(seen[0]).toMatchObject({
      type: 'message_action',
      callback_id: 'ask_about',
      message: { ts: act.ts, text: 'what is this?' },
    });
  });

  test('what the app answers to a command is for the person alone', async () => {
    const { slack, ada, general } = fake;
    onInteraction = ({ ack }) => ack({ text: 'Nothing to do.' });
    await slack.command(ada, general, '/alfred', 'tasks');
    expect(slack.view(general)).toEqual([]);
    expect(slack.view(general, undefined, { as: ada })[0]?.shown).toBe('Nothing to do.');
  });

  test('opening the app tells it who and which tab; prompts are shown', async () => {
    const { slack, client, ada } = fake;
    const [delivery] = slack.openApp(ada, 'messages');
    const channel = slack.directMessage(ada);
    expect(delivery?.payload['event']).toMatchObject({
      type: 'app_home_opened',
      user: ada.id,
      tab: 'messages',
      channel: channel.id,
    });
    const prompts = [{ title: 'Due', message: 'What is due?' }];
    await client.assistant.threads.setSuggestedPrompts({ channel_id: channel.id, prompts });
    expect(slack.prompts(channel)?.prompts).toEqual(prompts);
  });
});

describe('files', () => {
  test('the app reads what a person uploads where it is a member', async () => {
    const { slack, client, ada, general } = fake;
    const { files, deliveries } = slack.upload(ada, general, { name: 'plan.txt', content: 'Plan B' }, { text: 'see' });
    const event = deliveries[0]?.payload['event'] as { subtype: string; files: { id: string }[] };
    expect([event.subtype, event.files.map(({ id }) => id)]).toEqual(['file_share', files]);
    const { file } = await client.files.info({ file: files[0] ?? '' });
    expect(file).toMatchObject({ name: 'plan.txt', mimetype: 'text/plain', size: 6, user: ada.id });
    const read = (token: string) =>
      fetch(file?.url_private_download ?? '', { headers: { authorization: `Bearer ${token}` } });
    expect(await (await read(slack.workspace.botToken)).text()).toBe('Plan B');
    const refused = await read('xoxb-unknown');
    expect([refused.status, refused.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  });

  test('a file of a private channel without the app does not exist for it', async () => {
    const { slack, client, ada } = fake;
    const secret = slack.addChannel({ name: 'secret', kind: 'private', members: [ada], withApp: false });
    const { files } = slack.upload(ada, secret, { name: 'pay.csv', content: '1' });
    expect(await outcomeOf(client.files.info({ file: files[0] ?? '' }))).toBe('file_not_found');
    const url = `${slack.url}/files-pri/${slack.workspace.id}-${files[0]}/download/pay.csv`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${slack.workspace.botToken}` } });
    expect(await response.text()).toContain('Sign in');
  });

  test("the app uploads a file into a thread with Slack's own client", async () => {
    const { slack, client, ada, general } = fake;
    const { ts } = slack.say(ada, general, 'chart?');
    const content = Buffer.from([0x89, 0x50, 0x0d, 0x0a, 0x2d, 0x2d, 0x00]);
    await client.filesUploadV2({
      channel_id: general.id,
      thread_ts: ts,
      filename: 'chart.png',
      file: content,
      initial_comment: 'Here.',
    });
    expect(slack.view(general, ts).at(-1)).toMatchObject({ shown: 'Here.', files: ['chart.png'], fromApp: true });
    const upload = slack.calls.find(({ method }) => method === 'files.getUploadURLExternal');
    expect(slack.file(String(upload?.response['file_id']))?.content).toEqual(content);
  });
});
