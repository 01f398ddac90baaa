import { z } from 'zod';
import { Callback } from './callback.ts';
import { BusyPolicy } from './conversation.ts';
import { Of, Owner } from './owner.ts';
import { NextCursor, pageQuery } from './paging.ts';
import type { Scope } from './references.ts';
import { readCron } from './rules/cron.ts';
import { findNoRunAhead } from './rules/schedule-window.ts';
import { TaskError, TaskRequest } from './task.ts';

const seconds = z.int().max(31_536_000);

/** Temporal reads the zone and knows IANA names only. `Intl` would also accept offsets like +02:00, so refuse those. */
function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

/** When a Temporal schedule runs, and what happens when runs overlap, are missed or fail. */
export const ScheduleTiming = z
  .strictObject({
    cron: z
      .string()
      .trim()
      .min(1)
      .max(256)
      .optional()
      .describe(
        'Minute, hour, day of month, month, day of week, like `0 8 * * MON-FRI`. Both days must fit. Also with a year at the end, and with seconds and a year; `@daily` and the like',
      ),
    timeZone: z
      .string()
      .max(64)
      .refine(isTimeZone, 'is no time zone of the IANA database (expected one like Europe/Berlin)')
      .default('UTC')
      .describe('Whose clock `cron` reads'),
    everyS: seconds.min(1).optional().describe('In place of `cron`: seconds from one run to the next'),
    offsetS: seconds.min(0).optional().describe('Seconds by which the runs of `everyS` are late, counted from 1970'),
    jitterS: seconds.min(0).optional().describe('Each run is late by up to so many seconds, at random'),
    startAt: z.iso.datetime({ offset: true }).optional().describe('No run before'),
    endAt: z.iso.datetime({ offset: true }).optional().describe('No run after'),
    overlap: z
      .enum(['skip', 'buffer_one', 'buffer_all', 'cancel_other', 'allow_all'])
      .default('skip')
      .describe(
        'When it is time and the run before is not over: `skip` this one, start one (`buffer_one`) or all (`buffer_all`) of them afterwards, cancel the running one (`cancel_other`), or let them run side by side (`allow_all`)',
      ),
    catchupWindowS: seconds
      .min(10)
      .default(3_600)
      .describe('Runs that were missed while Temporal was away are made up for when they are late by at most this'),
    pauseOnFailure: z.boolean().default(false).describe('A run that fails pauses the schedule'),
  })
  .refine(({ cron, everyS }) => (cron === undefined) !== (everyS === undefined), 'expected one of cron and everyS')
  .refine(({ everyS, offsetS }) => offsetS === undefined || (everyS !== undefined && offsetS < everyS), {
    path: ['offsetS'],
    message: 'goes with everyS, and is less than that',
  })
  .refine(({ startAt, endAt }) => !startAt || !endAt || Date.parse(startAt) < Date.parse(endAt), {
    path: ['endAt'],
    message: 'is not after startAt',
  });
export type ScheduleTiming = z.infer<typeof ScheduleTiming>;

/** A timing that a request names. Stored ones are shown as they are, also those from before a rule was checked. */
const RequestedTiming = ScheduleTiming.superRefine((timing, context) => {
  const read = timing.cron === undefined ? undefined : readCron(timing.cron);
  if (read && 'fault' in read) context.addIssue({ code: 'custom', path: ['cron'], message: read.fault });
  const neverRuns = isTimeZone(timing.timeZone) ? findNoRunAhead(timing, Date.now()) : undefined;
  if (neverRuns !== undefined) {
    const path = timing.endAt === undefined ? 'cron' : 'endAt';
    context.addIssue({ code: 'custom', path: [path], message: neverRuns });
  }
}).meta({ oneOf: [{ required: ['cron'] }, { required: ['everyS'] }], dependentRequired: { offsetS: ['everyS'] } });

const ScheduledMessage = z.strictObject({
  conversationId: z.uuid(),
  text: z.string().trim().min(1).max(20_000),
  onBusy: BusyPolicy.optional(),
});
const hasOneAction = ({ task, message }: { task?: unknown; message?: unknown }) =>
  (task === undefined) !== (message === undefined);

/** Where else the answer of a run goes. */
const Notify = z.strictObject({
  slack: z.strictObject({
    channel: z
      .string()
      .regex(/^[CG][A-Z0-9]{6,}$/, 'expected the id of a channel, like C0123ABCD')
      .describe(
        'Id of a channel of Slack in which Alfred is a member. All its members read the answers. Posted by a Slack door with SLACK_BOT_TOKEN, for the tenant SLACK_TENANT; given up after a day without one',
      ),
  }),
});

/** What each run does: start a task, or send a message to a conversation. */
export const ScheduleAction = z
  .strictObject({
    task: TaskRequest.optional().describe('A new task, as POST /v1/tasks makes it'),
    message: ScheduledMessage.optional().describe('A message to a conversation'),
    notify: Notify.optional().describe('Posts the answer of each run that begins from now on'),
  })
  .refine(hasOneAction, 'expected one of task and message')
  .meta({ oneOf: [{ required: ['task'] }, { required: ['message'] }] });
export type ScheduleAction = z.infer<typeof ScheduleAction>;

const Name = z.string().trim().min(1).max(200);
const Note = z.string().trim().min(1).max(500);

export const ScheduleRequest = z.strictObject({
  name: Name,
  timing: RequestedTiming,
  action: ScheduleAction,
  paused: z.boolean().default(false).describe('true: it waits until it is resumed'),
  note: Note.optional(),
});
export type ScheduleRequest = z.infer<typeof ScheduleRequest>;

export const ScheduleChange = z
  .strictObject({
    name: Name.optional(),
    timing: RequestedTiming.optional().describe('Takes the place of the whole timing'),
    action: ScheduleAction.optional().describe('Takes the place of the whole action; runs under way keep theirs'),
    paused: z.boolean().optional(),
    note: Note.nullable().optional(),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'name something to change')
  .meta({ minProperties: 1 });
export type ScheduleChange = z.infer<typeof ScheduleChange>;

export const ScheduleRun = z.object({
  at: z.iso.datetime().describe('When it began'),
  taskId: z.uuid().nullable(),
  conversationId: z.string().nullable(),
  messageId: z.string().nullable(),
  error: TaskError.nullable().describe('Why it failed: what kept it from beginning, or the error of its task'),
});
export type ScheduleRun = z.infer<typeof ScheduleRun>;

/** An action as the API shows it: without the secret of its callback. */
const ShownAction = z.strictObject({
  task: TaskRequest.extend({ callback: Callback.pick({ url: true }).optional() }).optional(),
  message: ScheduledMessage.optional(),
  notify: Notify.optional(),
});

export const Schedule = z.object({
  id: z.uuid(),
  owner: Owner,
  name: z.string(),
  timing: ScheduleTiming,
  action: ShownAction,
  paused: z.boolean(),
  note: z.string().nullable().describe('Yours; Temporal’s while it has paused the schedule by itself'),
  state: z
    .enum(['scheduled', 'missing', 'unknown'])
    .describe(
      '`missing`: it was deleted in Temporal; a resume or a change makes it again. `unknown`: Temporal did not answer in time, so `paused` is as it was last set and `nextRuns` is empty',
    ),
  nextRuns: z.array(z.iso.datetime()).max(5).describe('Without jitter; empty when there are none, or it is paused'),
  warnings: z
    .array(z.string())
    .default([])
    .describe(
      'What you may not expect of its timing, in sentences: days that must both fit, runs that a change of the zone’s clocks within a year leaves out, moves or adds, no run ahead',
    ),
  recentRuns: z.array(ScheduleRun).describe('Up to ten, newest first'),
  running: z.int().nonnegative().describe('How many of its tasks have not ended'),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  links: z.object({ self: z.string(), temporal: z.string().describe('The schedule in Temporal Web UI') }),
});
export type Schedule = z.infer<typeof Schedule>;
/** A schedule's row, without what only Temporal knows. The action includes secrets, which the API must leave out. */
export type ScheduleRow = Omit<Schedule, 'action' | 'state' | 'nextRuns' | 'warnings' | 'links'> &
  Scope & { action: ScheduleAction };

export const ScheduleListQuery = z.strictObject({
  of: Of,
  ...pageQuery({ most: 100 }),
});
export type ScheduleListQuery = z.infer<typeof ScheduleListQuery>;
export const ScheduleList = z.object({ schedules: z.array(Schedule), nextCursor: NextCursor });
export type ScheduleList = z.infer<typeof ScheduleList>;
