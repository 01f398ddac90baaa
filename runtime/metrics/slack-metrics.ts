import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { shortDurations } from './buckets.ts';

/** What Slack sends, what is asked of its Web API, and what waits. */
export const createSlackMetrics = (registers: Registry[]) => ({
  slackEvents: new Counter({
    name: 'slack_events_total',
    help: 'What Slack has sent: stored, repeated (stored before), refused (wrongly signed), left_out (of a workspace that Alfred is not in), failed (not stored)',
    labelNames: ['transport', 'kind', 'outcome'],
    registers,
  }),
  slackAckDuration: new Histogram({
    name: 'slack_ack_duration_seconds',
    help: 'From the arrival of what Slack sends to its acknowledgement; Slack waits for 3 seconds',
    labelNames: ['transport'],
    buckets: shortDurations,
    registers,
  }),
  slackDeliveries: new Counter({
    name: 'slack_deliveries_total',
    help: 'Stored deliveries by what became of them: completed, put_back (tried again later), failed, abandoned',
    labelNames: ['outcome'],
    registers,
  }),
  slackApiCalls: new Histogram({
    name: 'slack_api_call_duration_seconds',
    help: 'Calls to the Web API of Slack by method, and Slack’s name of what came of them',
    labelNames: ['method', 'outcome'],
    buckets: shortDurations,
    registers,
  }),
  slackCallsWaiting: new Gauge({
    name: 'slack_api_calls_waiting',
    help: 'Calls to the Web API of Slack that wait for its limits',
    registers,
  }),
  slackInboxDepth: new Gauge({
    name: 'slack_inbox_depth',
    help: 'Stored deliveries of Slack that are not processed yet, of all processes',
    registers,
  }),
  slackPostsOpen: new Gauge({
    name: 'slack_posts_open',
    help: 'Answers in Slack that do not show the end of their task yet, of all processes',
    registers,
  }),
  slackStreamRotations: new Counter({
    name: 'slack_stream_rotations_total',
    help: 'Streams that ended before their task, so that the message went on by updates',
    labelNames: ['reason'],
    registers,
  }),
  slackPosts: new Counter({
    name: 'slack_posts_total',
    help: 'Answers in Slack: shown, closed (the channel takes none), given_up, retried (failed and tried again)',
    labelNames: ['outcome'],
    registers,
  }),
  slackTaskFiles: new Counter({
    name: 'slack_task_files_total',
    help: 'Files of tasks in Slack: shared (uploaded to the thread), linked (Slack did not take it, so a link stands there)',
    labelNames: ['outcome'],
    registers,
  }),
  slackFeedback: new Counter({
    name: 'slack_feedback_total',
    help: 'What people think of answers in Slack; a person who thinks otherwise later counts twice',
    labelNames: ['value'],
    registers,
  }),
  slackUndos: new Counter({
    name: 'slack_undos_total',
    help: 'How often people pressed Undo in Slack: begun, refused; what came of each call counts in effects_undone_total',
    labelNames: ['outcome'],
    registers,
  }),
  slackEmailLinks: new Counter({
    name: 'slack_email_links_total',
    help: 'Links of Slack users with sign-ins that their e-mail address has made, or ended',
    labelNames: ['outcome'],
    registers,
  }),
  slackNotifications: new Counter({
    name: 'slack_notifications_total',
    help: 'Messages to a channel that no person asked for: shown, given_up, retried (failed and tried again), elsewhere (only a thread shows it)',
    labelNames: ['kind', 'outcome'],
    registers,
  }),
  slackSockets: new Gauge({ name: 'slack_sockets_open', help: 'Sockets to Slack of this process', registers }),
});
