import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createStage, type Stage } from './posting-stage.ts';

let stage: Stage;
let door: ReturnType<Stage['addProcess']>;
beforeEach(async () => {
  stage = await createStage({ rateLimits: false });
  door = stage.addProcess();
});
afterEach(() => stage.close());

const { signal } = new AbortController();

/** What keeps something of ann, or of no person, from being posted there. */
function judge({ id: channel }: { id: string }, subject?: string): Promise<string | undefined> {
  const place = { tenant: 'local', team: stage.fake.workspace.id, channel };
  return door.checkChannel({ ...place, ...(subject !== undefined && { subject }) }, signal).then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
}
const refusalOf = (...asked: Parameters<typeof judge>) => stage.clock.run(judge(...asked));
const callsOf = (method: string) => stage.fake.calls.filter((call) => call.method === method).length;

test('a channel that is shared with another organisation takes nothing', async () => {
  const shared = stage.fake.addChannel({ name: 'shared', external: true });
  expect(await refusalOf(shared)).toBe('channel_shared');
  expect(await refusalOf(shared, 'ann')).toBe('channel_shared');
});

test('a public channel takes what anybody’s rights have made, unless Alfred is off there', async () => {
  expect(await refusalOf(stage.channel, 'ann')).toBeUndefined();
  stage.settings.isOn = false;
  expect(await refusalOf(stage.channel, 'ann')).toBe('channel_off');
  // Alerts name no content, and who set them up switches them off.
  expect(await refusalOf(stage.channel)).toBeUndefined();
});

test('where only some people may ask, only what they have is posted', async () => {
  stage.settings.userIds = ['U1'];
  expect(await refusalOf(stage.channel, 'ann')).toBe('owner_not_among');
  stage.linked.set('ann', ['U1']);
  expect(await refusalOf(stage.channel, 'ann')).toBeUndefined();
});

test('a private channel takes what is of a person who is linked and in it', async () => {
  const ann = stage.fake.addUser({ name: 'ann' });
  const closed = stage.fake.addChannel({ name: 'closed', kind: 'private', members: [ann] });
  expect(await refusalOf(closed)).toBeUndefined();
  expect(await refusalOf(closed, 'ann')).toBe('owner_not_in_channel');
  stage.linked.set('ann', [ann.id]);
  expect(await refusalOf(closed, 'ann')).toBeUndefined();
  stage.fake.expel(closed, ann);
  await stage.pass(61_000);
  expect(await refusalOf(closed, 'ann')).toBe('owner_not_in_channel');
});

test('all members of a large channel are known', async () => {
  const users = Array.from({ length: 1_200 }, (_, n) => stage.fake.addUser({ name: `member${n}` }));
  const large = stage.fake.addChannel({ name: 'large', kind: 'private', members: users });
  stage.linked.set('ann', [users.at(-1)!.id]);
  expect(await refusalOf(large, 'ann')).toBeUndefined();
});

test('Slack is asked once for many, and again after a minute', async () => {
  const { channel } = stage;
  await stage.clock.run(Promise.all(Array.from({ length: 20 }, () => judge(channel, 'ann'))));
  await refusalOf(channel, 'ann');
  expect(callsOf('conversations.info')).toBe(1);
  channel.external = true;
  await stage.pass(61_000);
  expect(await refusalOf(channel, 'ann')).toBe('channel_shared');
  expect(callsOf('conversations.info')).toBe(2);
});

test('a failure of Slack is not remembered', async () => {
  stage.fake.faults.fail('conversations.info', 'internal_error');
  expect(await refusalOf(stage.channel)).toBe('internal_error');
  expect(await refusalOf(stage.channel)).toBeUndefined();
});
