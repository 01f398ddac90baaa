import { Counter, Histogram, type Registry } from 'prom-client';

/** Upper bounds of the histogram buckets, in seconds. */
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3_600];

/** Tasks and conversations. */
export const createTaskMetrics = (registers: Registry[]) => ({
  tasksProcessed: new Counter({
    name: 'tasks_processed_total',
    help: 'Tasks that ended',
    labelNames: ['agent', 'status'],
    registers,
  }),
  taskDuration: new Histogram({
    name: 'task_duration_seconds',
    help: 'From request to end of a task',
    labelNames: ['agent', 'status'],
    buckets,
    registers,
  }),
  taskFailures: new Counter({
    name: 'task_failures_total',
    help: 'Tasks that failed after all retries',
    labelNames: ['agent', 'code'],
    registers,
  }),
  conversationMessages: new Counter({
    name: 'conversation_messages_total',
    help: 'Messages of conversations, by what was decided when they came',
    labelNames: ['agent', 'outcome'],
    registers,
  }),
  citations: new Counter({
    name: 'citations_total',
    help: 'Citations of answers, by who chose their quotes: the model, or code that looked for what comes closest',
    labelNames: ['model', 'quoted_by'],
    registers,
  }),
});
