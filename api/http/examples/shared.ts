import type { CallbackState } from '../../../contract/callback.ts';

/** Ids of the examples in the API document. */
export const ids = {
  task: '01a8c2d0-5b1e-7c40-9d3a-2f6e8b4c1a01',
  artifact: '01a8c2d0-5d77-7c91-8b24-3c5d7e9f1a08',
  approval: '01a8c2d0-6f02-7b11-8e5c-4d7a9c3b2f02',
  conversation: '01a8c2d0-7a33-7d22-9f6d-5e8bad4c3e03',
  document: '01a8c2cf-1c44-7e33-8a7e-6f9cbe5d4d04',
  ingestion: '01a8c2ce-2d55-7f44-9b8f-70adcf6e5c05',
  schedule: '01a8c2d1-3e66-7a55-8c90-81bed07f6b06',
  memory: '01a8c2d3-5088-7c77-aeb2-a3d0f2918b08',
  contact: '01a8c2d4-6199-7d88-bfc3-b4e1a3029c09',
  partedContact: '01a8c2d4-61aa-7d88-bfc3-b4e1a3029c0b',
  contactIngest: '01a8c2d4-6000-7d88-bfc3-b4e1a3029c0a',
  contactMerge: '01a8c2d4-6199-7d88-bfc3-b4e1a3029c0c',
  source: '01a8c2d2-4f77-7b66-9da1-92cfe1807a07',
  apiKey: '3f9c1a7e5b2d8046',
};

/** Examples of the parameters that many operations share, by their name in the API document. */
export const parameterExamples: Record<string, unknown> = {
  TaskId: ids.task,
  ApprovalId: ids.approval,
  ArtifactId: ids.artifact,
  ConversationId: ids.conversation,
  DocumentId: ids.document,
  IngestionId: ids.ingestion,
  ScheduleId: ids.schedule,
  SourceId: ids.source,
  MemoryId: ids.memory,
  ContactId: ids.contact,
  ContactIngestId: ids.contactIngest,
  ContactMergeId: ids.contactMerge,
  ApiKeyId: ids.apiKey,
  Limit: 20,
  After: 0,
  Prefer: 'wait=10',
};

/** When what the examples show happened. */
export const times = {
  asked: '2026-11-24T08:00:00.000Z',
  began: '2026-11-24T08:00:00.120Z',
  ended: '2026-11-24T08:00:04.870Z',
};

/** What a finished task has used. */
export const usage = {
  modelCalls: 2,
  inputTokens: 1_840,
  cacheReadTokens: 1_024,
  cacheWriteTokens: 0,
  outputTokens: 96,
  costUsd: 0.0062,
};

export const callback: CallbackState = {
  url: 'https://example.com/alfred',
  state: 'delivered',
  deliveries: 1,
  attempts: 1,
  lastAttemptAt: times.ended,
  lastStatus: 204,
  lastError: null,
  deliveredAt: times.ended,
};

export const temporal = (kind: 'workflows' | 'schedules', id: string) =>
  `http://127.0.0.1:8233/namespaces/default/${kind}/${encodeURIComponent(id)}`;

/** Examples of an operation: bodies by media type, values of parameters, responses by status and media type. */
export type OperationExamples = {
  body?: Record<string, unknown>;
  parameters?: Record<string, unknown>;
  responses?: Record<string, Record<string, unknown>>;
};

/** The example of a JSON response. */
export const answers = (status: number, value: unknown) => ({ [status]: { 'application/json': value } });
/** The example of a JSON body. */
export const sends = (value: unknown) => ({ 'application/json': value });
