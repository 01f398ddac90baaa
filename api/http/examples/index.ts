import type { Readiness } from '../../../contract/health.ts';
import type { UsageReport } from '../../../contract/usage.ts';
import { version } from '../../../runtime/version.ts';
import { agentExamples } from './agents.ts';
import { auditExamples } from './audit.ts';
import { contactExamples } from './contacts.ts';
import { conversationExamples } from './conversations.ts';
import { documentExamples } from './documents.ts';
import { identityExamples } from './identity.ts';
import { memoryExamples } from './memories.ts';
import { answers, usage, type OperationExamples } from './shared.ts';
import { taskExamples } from './tasks.ts';

const report: UsageReport = {
  from: '2026-11-01',
  to: '2026-11-30',
  rows: [{ day: '2026-11-24', model: 'anthropic:claude-sonnet-5-5', usage, outcomes: { completed: 2 } }],
  total: usage,
};

const ready: Readiness = {
  status: 'ready',
  dependencies: { postgres: { status: 'ok', latencyMs: 2 }, temporal: { status: 'ok', latencyMs: 4 } },
};
const unready: Readiness = {
  status: 'unready',
  dependencies: { ...ready.dependencies, postgres: { status: 'down', detail: 'connection refused' } },
};

const systemExamples: Record<string, OperationExamples> = {
  getUsage: {
    parameters: { of: 'own', from: '2026-11-01', to: '2026-11-30', by: 'day,model' },
    responses: answers(200, report),
  },
  health: { responses: answers(200, { status: 'ok', version, uptime_s: 12.5 }) },
  readiness: { responses: { ...answers(200, ready), ...answers(503, unready) } },
  metrics: { responses: { 200: { 'text/plain': '# TYPE alfred_event_streams gauge\nalfred_event_streams 3\n' } } },
  openapi: { responses: answers(200, { openapi: '3.1.0', info: { title: 'Alfred', version } }) },
};

const examples: Record<string, OperationExamples> = {
  ...taskExamples,
  ...conversationExamples,
  ...documentExamples,
  ...identityExamples,
  ...agentExamples,
  ...contactExamples,
  ...memoryExamples,
  ...auditExamples,
  ...systemExamples,
};

/** The examples of an operation of the API document. None for an operation that is not known here. */
export const examplesOf = (operationId: string): OperationExamples => examples[operationId] ?? {};
