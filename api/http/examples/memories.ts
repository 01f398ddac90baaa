import type { Memory } from '../../../contract/memories.ts';
import { answers, ids, sends, times, type OperationExamples } from './shared.ts';

const text = 'I work in the Paris office.';
const memory: Memory = {
  id: ids.memory,
  text,
  group: null,
  by: 'local',
  source: { via: 'local', taskId: null, conversationId: null },
  createdAt: times.asked,
  expiresAt: '2027-11-24T08:00:00.000Z',
};

export const memoryExamples: Record<string, OperationExamples> = {
  createMemory: { body: sends({ text }), responses: answers(201, memory) },
  listMemories: { responses: answers(200, { memories: [memory], nextCursor: null }) },
  getMemory: { responses: answers(200, memory) },
  deleteMemory: {},
};
