import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import type { WorkflowBundle } from '@temporalio/worker';
import { pino } from 'pino';
import { readHistory, type History } from '../../cli/replay/history-file.ts';
import { replayHistory } from '../../cli/replay/replay-history.ts';
import { buildWorkflowBundle } from '../../workers/bundle.ts';

const folder = fileURLToPath(new URL('../histories/', import.meta.url));
const file = readdirSync(folder).find((name) => name.startsWith('agentTaskWorkflow'));

let bundle: WorkflowBundle;
beforeAll(async () => {
  bundle = await buildWorkflowBundle(pino({ level: 'silent' }));
});

const eventTypeTimerStarted = 17;
const eventTypeMarkerRecorded = 25;

const payloadOf = (value: object) => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});

/** Each change of the history makes the SDK report the difference in a different form. */
const changes: [string, (events: NonNullable<History['events']>, at: number) => void, RegExp][] = [
  [
    'an activity of another type',
    (events, at) => {
      const scheduled = events[at]?.activityTaskScheduledEventAttributes;
      if (scheduled) scheduled.activityType = { name: 'askModel' };
    },
    /^History, event \d+ ActivityTaskScheduled: askModel\.\nThe code asks for callModel there\.\n/,
  ],
  [
    'a timer in place of an activity',
    (events, at) => {
      const timerStartedEventAttributes = { timerId: '1', startToFireTimeout: { seconds: 5 as never } };
      const { eventId } = events[at] ?? {};
      events[at] = { eventId, eventType: eventTypeTimerStarted, timerStartedEventAttributes } as never;
    },
    /^History, event \d+ TimerStarted: timer 1 of 5 s\.\nThe code schedules an activity there\.\n/,
  ],
  [
    'an activity that the code does not schedule',
    (events, at) => {
      events.splice(at + 1, 0, { ...events[at] });
      for (const [i, event] of events.entries()) event.eventId = (i + 1) as never;
    },
    /^History, event \d+ ActivityTaskScheduled: activity callModel\.\nThe code asks for nothing there: a call is missing/,
  ],
  [
    'a change of search attributes in place of an activity',
    (events, at) => {
      const place = events.findIndex((event) => event.upsertWorkflowSearchAttributesEventAttributes);
      const scheduled = events[at];
      if (!scheduled || place < 0) throw new Error('the history has no search attributes to exchange');
      events[place] = { ...scheduled, eventId: events[place]?.eventId } as never;
    },
    /^History, event \d+ ActivityTaskScheduled: activity callModel\.\nThe code changes search attributes there\.\n/,
  ],
  [
    'a patch that the code asks for no more',
    (events, at) => {
      const details = { 'patch-data': { payloads: [payloadOf({ id: 'gone', deprecated: false })] } };
      const marker = { markerName: 'core_patch', details, workflowTaskCompletedEventId: events[at - 1]?.eventId };
      events.splice(at, 0, { eventType: eventTypeMarkerRecorded, markerRecordedEventAttributes: marker } as never);
      for (const [i, event] of events.entries()) event.eventId = (i + 1) as never;
    },
    /^History took the patch 'gone'\.\nThe code asks patched\('gone'\) no more: put the call back/,
  ],
];

test.each(changes)('the pinned SDK’s error for %s is recognised and described', async (_, change, description) => {
  const history = await readHistory(`${folder}${file}`);
  const events = history.events ?? [];
  const at = events.findIndex((event) => event.activityTaskScheduledEventAttributes);
  change(events, at);
  const replay = await replayHistory(bundle, history);
  expect(replay.isSame ? 'same' : replay.divergence).toMatch(description);
});
