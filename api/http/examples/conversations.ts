import type { Conversation, ConversationMessage, MessageReceipt } from '../../../contract/conversation.ts';
import type { Schedule } from '../../../contract/schedule.ts';
import { answers, ids, sends, temporal, times, type OperationExamples } from './shared.ts';

const text = 'How long is the notice period?';

const conversation: Conversation = {
  id: ids.conversation,
  agent: 'knowledge',
  title: 'Notice periods',
  onBusy: 'enqueue',
  metadata: { channel: 'intranet' },
  archived: false,
  messages: 1,
  runningTaskId: null,
  queued: 0,
  lastSeq: 11,
  createdAt: times.asked,
  updatedAt: times.ended,
  links: {
    self: `/v1/conversations/${ids.conversation}`,
    messages: `/v1/conversations/${ids.conversation}/messages`,
    events: `/v1/conversations/${ids.conversation}/events`,
    temporal: temporal('workflows', `conversation/${ids.conversation}`),
  },
};

const question: ConversationMessage = {
  id: 'question-1',
  position: 1,
  role: 'user',
  text,
  taskId: ids.task,
  outcome: 'started',
  state: 'done',
  taskStatus: 'completed',
  createdAt: times.asked,
};
const answered: ConversationMessage = {
  ...question,
  id: ids.task,
  role: 'assistant',
  text: 'Three months to the end of a quarter.',
  citations: [],
  outcome: null,
  createdAt: times.ended,
};

const receipt: MessageReceipt = {
  id: 'question-1',
  conversationId: ids.conversation,
  position: 1,
  outcome: 'started',
  taskId: ids.task,
  runningTaskId: null,
  links: {
    task: `/v1/tasks/${ids.task}`,
    conversation: `/v1/conversations/${ids.conversation}`,
    events: `/v1/conversations/${ids.conversation}/events`,
  },
};

const event = {
  seq: 1,
  at: times.asked,
  type: 'conversation.message',
  data: { messageId: 'question-1', position: 1, text, outcome: 'started', taskId: ids.task, runningTaskId: null },
};

const timing = { cron: '0 8 * * MON-FRI', timeZone: 'Europe/Berlin' };
const action = { task: { input: { text: 'What has changed in the travel policy since yesterday?' } } };

const schedule: Schedule = {
  id: ids.schedule,
  name: 'Every working day',
  timing: { ...timing, overlap: 'skip', catchupWindowS: 3_600, pauseOnFailure: false },
  action: { task: { ...action.task, agent: 'knowledge' } },
  paused: false,
  note: null,
  state: 'scheduled',
  nextRuns: ['2026-11-25T07:00:00.000Z', '2026-11-26T07:00:00.000Z'],
  warnings: [],
  recentRuns: [{ at: times.asked, taskId: ids.task, conversationId: null, messageId: null, error: null }],
  running: 0,
  createdAt: times.asked,
  updatedAt: times.asked,
  links: { self: `/v1/schedules/${ids.schedule}`, temporal: temporal('schedules', `schedule/${ids.schedule}`) },
};

const readers = ['group:staff', 'subject:ann'];

export const conversationExamples: Record<string, OperationExamples> = {
  createConversation: {
    body: sends({ agent: 'knowledge', title: 'Notice periods', metadata: { channel: 'intranet' } }),
    responses: answers(201, { ...conversation, messages: 0, lastSeq: 0, updatedAt: times.asked }),
  },
  listConversations: {
    parameters: { agent: 'knowledge', archived: 'false', of: 'own' },
    responses: answers(200, { conversations: [conversation], nextCursor: null }),
  },
  getConversation: { responses: answers(200, conversation) },
  changeConversation: {
    body: sends({ title: 'Notice periods for managers', onBusy: 'steer' }),
    responses: answers(200, { ...conversation, title: 'Notice periods for managers', onBusy: 'steer' }),
  },
  getConversationReaders: { responses: answers(200, { readers }) },
  setConversationReaders: { body: sends({ readers }), responses: answers(200, { readers }) },
  deleteConversation: {},
  sendMessage: { body: sends({ text }), responses: answers(202, receipt) },
  listMessages: { responses: answers(200, { messages: [question, answered], hasMore: false, nextCursor: null }) },
  stopConversation: {
    body: sends({ reason: 'The question is answered.', queued: 'drop' }),
    responses: answers(200, { stoppedTaskId: ids.task, dropped: [] }),
  },
  followConversation: { responses: { 200: { 'text/event-stream': event } } },
  listConversationEvents: { responses: answers(200, { events: [event], lastSeq: 1, nextCursor: '1' }) },
  createSchedule: {
    body: sends({ name: 'Every working day', timing, action }),
    responses: answers(201, { ...schedule, recentRuns: [] }),
  },
  listSchedules: { parameters: { of: 'own' }, responses: answers(200, { schedules: [schedule], nextCursor: null }) },
  getSchedule: { responses: answers(200, schedule) },
  changeSchedule: {
    body: sends({ timing: { cron: '0 7 * * MON-FRI', timeZone: 'Europe/Berlin' } }),
    responses: answers(200, {
      ...schedule,
      timing: { ...schedule.timing, cron: '0 7 * * MON-FRI' },
      nextRuns: ['2026-11-25T06:00:00.000Z'],
    }),
  },
  deleteSchedule: {},
  pauseSchedule: { responses: answers(200, { ...schedule, paused: true, nextRuns: [] }) },
  resumeSchedule: { responses: answers(200, schedule) },
  runSchedule: { responses: answers(202, { ...schedule, running: 1 }) },
};
