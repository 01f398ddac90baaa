import type { AuditRecord } from '../audit.ts';

/** What an operation of the API is in the audit log, and what kind of thing it is done to. */
export type AuditedOperation = {
  action: string;
  resource: string;
  /** Many alike within a minute become one entry with their count. The answer does not wait for it. */
  isRead?: true;
};

/** By `operationId`. Every operation that changes something is here: a test compares. */
export const auditedOperations: Record<string, AuditedOperation> = {
  createTask: { action: 'task.start', resource: 'task' },
  cancelTask: { action: 'task.cancel', resource: 'task' },
  undoTask: { action: 'task.undo', resource: 'task' },
  deleteTask: { action: 'task.delete', resource: 'task' },
  grantBudget: { action: 'budget.grant', resource: 'task' },
  repeatCallback: { action: 'callback.repeat', resource: 'task' },
  setPushConfig: { action: 'callback.set', resource: 'task' },
  removePushConfig: { action: 'callback.remove', resource: 'task' },
  decideApproval: { action: 'approval.decide', resource: 'approval' },
  setTaskReaders: { action: 'task.share', resource: 'task' },
  setConversationReaders: { action: 'conversation.share', resource: 'conversation' },
  createSchedule: { action: 'schedule.create', resource: 'schedule' },
  changeSchedule: { action: 'schedule.change', resource: 'schedule' },
  pauseSchedule: { action: 'schedule.pause', resource: 'schedule' },
  resumeSchedule: { action: 'schedule.resume', resource: 'schedule' },
  runSchedule: { action: 'schedule.run', resource: 'schedule' },
  deleteSchedule: { action: 'schedule.delete', resource: 'schedule' },
  createConversation: { action: 'conversation.create', resource: 'conversation' },
  changeConversation: { action: 'conversation.change', resource: 'conversation' },
  deleteConversation: { action: 'conversation.delete', resource: 'conversation' },
  sendMessage: { action: 'message.send', resource: 'conversation' },
  stopConversation: { action: 'conversation.stop', resource: 'conversation' },
  setCollection: { action: 'collection.set', resource: 'collection' },
  uploadDocuments: { action: 'document.upload', resource: 'ingestion' },
  retryIngestion: { action: 'ingestion.retry', resource: 'ingestion' },
  repeatIngestionCallback: { action: 'callback.repeat', resource: 'ingestion' },
  deleteDocument: { action: 'document.delete', resource: 'document' },
  createSource: { action: 'source.create', resource: 'source' },
  changeSource: { action: 'source.change', resource: 'source' },
  syncSource: { action: 'source.sync', resource: 'source' },
  deleteSource: { action: 'source.delete', resource: 'source' },
  setAgentSettings: { action: 'agent.settings', resource: 'agent' },
  rollBackAgentSettings: { action: 'agent.settings', resource: 'agent' },
  createMemory: { action: 'memory.create', resource: 'memory' },
  deleteMemory: { action: 'memory.delete', resource: 'memory' },
  ingestContacts: { action: 'contact.ingest', resource: 'contact_ingest' },
  cancelContactIngest: { action: 'contact_ingest.cancel', resource: 'contact_ingest' },
  deleteContactIngest: { action: 'contact_ingest.delete', resource: 'contact_ingest' },
  deleteContact: { action: 'contact.delete', resource: 'contact' },
  undoContactMerge: { action: 'contact.undo_merge', resource: 'contact_merge' },
  createApiKey: { action: 'key.create', resource: 'key' },
  rotateApiKey: { action: 'key.rotate', resource: 'key' },
  revokeApiKey: { action: 'key.revoke', resource: 'key' },
  // Reading that takes content or numbers away.
  readArtifact: { action: 'artifact.read', resource: 'task', isRead: true },
  readDocumentText: { action: 'document.read', resource: 'document', isRead: true },
  listContacts: { action: 'contact.read', resource: 'contact', isRead: true },
  getContact: { action: 'contact.read', resource: 'contact', isRead: true },
  listContactMerges: { action: 'contact.read', resource: 'contact', isRead: true },
  listRejectedContacts: { action: 'contact.read', resource: 'contact_ingest', isRead: true },
  getUsage: { action: 'usage.read', resource: 'usage', isRead: true },
  listAudit: { action: 'audit.read', resource: 'audit', isRead: true },
};

/** What an operator does in the database, without the API. The constraint of `audit_pending` names each. */
export const operatorActions = [
  'tenant.add',
  'tenant.suspend',
  'tenant.resume',
  'tenant.limit',
  'slack.unlink',
  'slack.workspace.allow',
  'slack.workspace.remove',
  'slack.erase',
  'feedback.read',
  'mcp.accept',
] as const;
export type OperatorAction = (typeof operatorActions)[number];

/** How a browser session ends before its time: by its person, by the next sign-in in that browser, by the provider. */
export type SessionEnd = 'sign_out' | 'session.replace' | 'session.end';

/** The entry about a session that has ended. */
export const sessionEndEntry = (
  action: SessionEnd,
  { name, tenant, subject }: { name: string; tenant: string; subject: string },
): AuditRecord => ({
  tenant,
  subject,
  kind: 'person',
  via: 'session',
  action,
  resource: { type: 'session', id: name },
  outcome: 'ok',
});

/** Whether the answer to an operation waits for its entry, because it changes something. */
export function isChange(operationId: string | undefined): boolean {
  const known = operationId === undefined ? undefined : auditedOperations[operationId];
  return known !== undefined && !known.isRead;
}

/** Statuses that say: not for you. What one may not see is 404, like what does not exist. */
const refusals: readonly number[] = [401, 403, 404, 429];

type Answer = { operationId: string | undefined; status: number; signedIn: boolean };

/**
 * What the audit log keeps of an answered request.
 *
 * @returns undefined: nothing; `waits`: the answer leaves when the entry is stored
 */
export function auditOf({ operationId, status, signedIn }: Answer) {
  const known = operationId === undefined ? undefined : auditedOperations[operationId];
  if (status < 400) {
    return known && { action: known.action, type: known.resource, outcome: 'ok' as const, waits: !known.isRead };
  }
  const type = known?.resource;
  // Browsers and scanners ask for much that is not there.
  if (!signedIn && status === 404) return undefined;
  const stranger = status === 401 ? 'sign_in' : 'request';
  const action = signedIn ? (known?.action ?? operationId ?? 'unknown_address') : stranger;
  if (refusals.includes(status)) return { action, type, outcome: 'refused' as const, waits: false };
  return known && !known.isRead && (status === 409 || status >= 500)
    ? { action, type, outcome: 'failed' as const, waits: false }
    : undefined;
}
