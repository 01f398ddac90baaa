import { expect, test } from '@jest/globals';
import { inWorkspace } from '../../slack/processing/in-workspace.ts';
import { deliveryOf } from '../../slack/receiving/delivery.ts';

const message = { type: 'message', channel: 'C1', user: 'U1', ts: '5.1', text: 'Hi' };
const envelope = (event: object, id = 'Ev1') => ({
  type: 'event_callback',
  team_id: 'T1',
  event_id: id,
  event: { ...event },
});
const keyOf = (event: object, id?: string) => deliveryOf('event', envelope(event, id)).key;
const laneOf = (event: object) => deliveryOf('event', envelope(event)).lane;

test('a message, its repeats and its twin have one key', () => {
  const keys = [keyOf(message), keyOf(message, 'Ev2'), keyOf({ ...message, type: 'app_mention' }, 'Ev3')];
  expect(new Set(keys)).toEqual(new Set(['message:T1:C1:5.1']));
});

test('messages of other channels, workspaces and times have other keys', () => {
  const keys = [
    keyOf(message),
    keyOf({ ...message, channel: 'C2' }),
    keyOf({ ...message, ts: '5.2' }),
    deliveryOf('event', { ...envelope(message), team_id: 'T2' }).key,
  ];
  expect(new Set(keys).size).toBe(4);
});

const edit = (ts: string) => ({
  type: 'message',
  subtype: 'message_changed',
  channel: 'C1',
  ts,
  message: { ...message, thread_ts: '4.0', text: 'Ho' },
  previous_message: { ...message, thread_ts: '4.0' },
});
const deletion = {
  type: 'message',
  subtype: 'message_deleted',
  channel: 'C1',
  ts: '9.0',
  deleted_ts: '5.1',
  previous_message: message,
};

test('an edit and a deletion are other deliveries than the message, in its lane', () => {
  const keys = [keyOf(message), keyOf(edit('8.0')), keyOf(edit('8.1')), keyOf(deletion)];
  expect(keys).toEqual([
    'message:T1:C1:5.1',
    'message:T1:C1:5.1:8.0',
    'message:T1:C1:5.1:8.1',
    'message:T1:C1:5.1:9.0',
  ]);
  expect([laneOf(message), laneOf(deletion)]).toEqual(['T1:C1:5.1', 'T1:C1:5.1']);
  expect([laneOf({ ...message, thread_ts: '4.0' }), laneOf(edit('8.0'))]).toEqual(['T1:C1:4.0', 'T1:C1:4.0']);
});

test('in a shared channel an event is of the workspace that has installed Alfred', () => {
  const event = { ...envelope(message), team_id: 'T9', authorizations: [{ team_id: 'T1' }] };
  expect(deliveryOf('event', event)).toMatchObject({ key: 'message:T1:C1:5.1', team: 'T1', lane: 'T1:C1:5.1' });
  const whole = { ...event, authorizations: [{ team_id: null }] };
  expect(deliveryOf('event', whole).team).toBe('T9');
});

test('what a person of another workspace presses or sends is of the workspace that has installed Alfred', () => {
  const stranger = { team: { id: 'T9' }, user: { id: 'U9', team_id: 'T9' }, trigger_id: '1' };
  expect(deliveryOf('interactive', { ...stranger, message: { ts: '5.1', team: 'T1' } }).team).toBe('T1');
  expect(deliveryOf('interactive', { ...stranger, view: { app_installed_team_id: 'T1' } }).team).toBe('T1');
  expect(deliveryOf('interactive', { ...stranger, team: null }).team).toBe('T9');
});

test('a shortcut on the message of a person of another workspace is of the workspace where it was chosen', () => {
  const shortcut = { type: 'message_action', team: { id: 'T1' }, user: { id: 'U1' }, trigger_id: '1' };
  expect(deliveryOf('interactive', { ...shortcut, message: { ts: '5.1', team: 'T9' } }).team).toBe('T1');
});

test('a delivery is processed as one of the workspace that Alfred is in', () => {
  const event = deliveryOf('event', { ...envelope(message), team_id: 'T9' });
  expect(inWorkspace(event, 'T1')).toMatchObject({ team: 'T1', body: { team_id: 'T1', event: message } });
  const press = deliveryOf('interactive', { team: { id: 'T9', domain: 'd' }, user: { id: 'U9' }, trigger_id: '1' });
  expect(inWorkspace(press, 'T1')).toMatchObject({ team: 'T1', body: { team: { id: 'T1', domain: 'd' } } });
  const command = deliveryOf('command', { team_id: 'T9', channel_id: 'C1', user_id: 'U9', trigger_id: '1' });
  expect(inWorkspace(command, 'T1')).toMatchObject({ team: 'T1', body: { team_id: 'T1', user_id: 'U9' } });
});

test('another event is known by its id', () => {
  const opened = { type: 'app_home_opened', user: 'U1', channel: 'D1', tab: 'home' };
  expect(keyOf(opened)).toBe('event:T1:Ev1');
  expect(laneOf(opened)).toBe('T1:D1:');
});

test('interactions and commands are known by their trigger, and an interaction is in a lane of its person', () => {
  const press = {
    type: 'block_actions',
    trigger_id: '1.2',
    team: { id: 'T1' },
    user: { id: 'U1' },
    channel: { id: 'C1' },
    message: { ts: '6.0', thread_ts: '4.0' },
  };
  expect(deliveryOf('interactive', press)).toMatchObject({
    key: 'interactive:T1:1.2',
    lane: 'T1:C1:U1:press',
    team: 'T1',
  });
  const { channel: _, message: __, ...submission } = press;
  expect(deliveryOf('interactive', submission).lane).toBe('T1:U1');
  const command = { command: '/alfred', trigger_id: '3.4', team_id: 'T1', channel_id: 'C1', user_id: 'U1' };
  expect(deliveryOf('command', command)).toMatchObject({ key: 'command:T1:3.4', lane: 'T1:C1:U1' });
});

test('a body without an id is known by its envelope, else by what is in it', () => {
  const body = { type: 'event_callback', team_id: 'T1', event: { type: 'x' } };
  expect(deliveryOf('event', body, { id: 'env1' }).key).toBe('event:T1:env1');
  expect(deliveryOf('event', body).key).toBe(deliveryOf('event', { ...body }).key);
  expect(deliveryOf('event', body).key).not.toBe(deliveryOf('event', { ...body, event: { type: 'y' } }).key);
});
