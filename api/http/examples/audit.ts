import type { AuditEntry } from '../../../contract/audit.ts';
import { answers, ids, times, type OperationExamples } from './shared.ts';

const entry: AuditEntry = {
  id: '5d41402abc4b2a76b9719d911017c592ae3f1b9e0c7d2f4a8b6c5e0d9f1a2b3c',
  at: times.asked,
  subject: 'local',
  kind: 'person',
  via: 'local',
  action: 'task.start',
  resource: { type: 'task', id: ids.task },
  outcome: 'ok',
  code: null,
  count: 1,
  requestId: '7f1c9a44-2b0e-4d6a-9b1f-3c5d7e9f0a1b',
  address: '127.0.0.1',
  country: null,
  client: 'curl',
};

export const auditExamples: Record<string, OperationExamples> = {
  listAudit: {
    parameters: {
      subject: 'local',
      action: 'task.start',
      outcome: 'ok',
      from: '2026-11-01T00:00:00Z',
      to: '2026-12-01T00:00:00Z',
    },
    responses: answers(200, { entries: [entry], nextCursor: null }),
  },
};
