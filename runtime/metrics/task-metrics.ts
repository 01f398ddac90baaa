import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Upper bounds of the histogram buckets, in seconds. */
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3_600];

/** Older reports are not shown: by then another process may have newer ones. In milliseconds. */
const staleAfterMs = 5 * 60_000;

type OpenTaskReport = {
  counts: { agent: string; status: string; tasks: number; oldest: Date }[];
  /** The agents that no worker serves. */
  unserved: string[];
};

/** Open tasks of all processes, as the last sweep that ran in this process counted them. */
function createOpenTaskMetrics(registers: Registry[]) {
  let report: (OpenTaskReport & { at: number }) | undefined;
  const current = () => (report && Date.now() - report.at < staleAfterMs ? report : undefined);
  new Gauge({
    name: 'tasks_open',
    help: 'Tasks that have not ended, by agent and status',
    labelNames: ['agent', 'status'],
    registers,
    collect() {
      this.reset();
      for (const { agent, status, tasks } of current()?.counts ?? []) this.set({ agent, status }, tasks);
    },
  });
  new Gauge({
    name: 'tasks_queued_oldest_seconds',
    help: 'Age of the oldest task that no worker has begun',
    labelNames: ['agent'],
    registers,
    collect() {
      this.reset();
      for (const { agent, status, oldest } of current()?.counts ?? [])
        if (status === 'queued') this.set({ agent }, Math.max(0, Date.now() - oldest.getTime()) / 1_000);
    },
  });
  new Gauge({
    name: 'agent_without_worker',
    help: '1 while tasks of the agent wait and no worker polls its queue',
    labelNames: ['agent'],
    registers,
    collect() {
      this.reset();
      for (const agent of current()?.unserved ?? []) this.set({ agent }, 1);
    },
  });
  return {
    report(latest: OpenTaskReport) {
      report = { ...latest, at: Date.now() };
    },
  };
}

/** Tasks and conversations. */
export const createTaskMetrics = (registers: Registry[]) => ({
  openTasks: createOpenTaskMetrics(registers),
  tasksRestarted: new Counter({
    name: 'tasks_restarted_total',
    help: 'Tasks that started again from their rows because Temporal had lost their workflow',
    labelNames: ['agent'],
    registers,
  }),
  erasuresFailed: new Counter({
    name: 'erasures_failed_total',
    help: 'Failed attempts to remove the content of a deleted task or conversation; the sweep repeats them',
    registers,
  }),
  sweepHalted: new Gauge({
    name: 'sweep_halted',
    help: '1 while the sweep changes no row, because Temporal does not know too many open tasks or is another one',
    registers,
  }),
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
  conversationHandovers: new Counter({
    name: 'conversation_handovers_total',
    help: 'Conversations that an agent has handed over, by the agent that goes on',
    labelNames: ['agent'],
    registers,
  }),
  memories: new Counter({
    name: 'memories_total',
    help: 'What became of memories: remembered, forgotten, expired, or recalled, which is given to a task',
    labelNames: ['change'],
    registers,
  }),
  citations: new Counter({
    name: 'citations_total',
    help: 'Citations of answers, by who chose their quotes: the model, or code that looked for what comes closest',
    labelNames: ['model', 'quoted_by'],
    registers,
  }),
});
