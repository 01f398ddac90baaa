import type { Action, Resource } from './policy.ts';

/** What an operation of the API does, for the policy. */
export type OperationRule = { action: Action; resource: Resource };

const rule = (action: Action, resource: Resource): OperationRule => ({ action, resource });

/**
 * Every operation of the API by its `operationId`. The API does not start with an operation that has no row here. An
 * operation that shows a thing asks for `see`: what is in it is left out for those who may not `read` it.
 */
export const operationRules: Readonly<Record<string, OperationRule>> = {
  createTask: rule('create', 'task'),
  listTasks: rule('see', 'task'),
  getTask: rule('see', 'task'),
  followTask: rule('read', 'task'),
  listTaskEvents: rule('read', 'task'),
  getTaskCitations: rule('read', 'task'),
  listArtifacts: rule('read', 'task'),
  readArtifact: rule('read', 'task'),
  cancelTask: rule('cancel', 'task'),
  undoTask: rule('undo', 'task'),
  grantBudget: rule('grant', 'task'),
  deleteTask: rule('delete', 'task'),
  getTaskReaders: rule('share', 'task'),
  setTaskReaders: rule('share', 'task'),
  getCallback: rule('read', 'task'),
  repeatCallback: rule('change', 'task'),
  getPushConfig: rule('read', 'task'),
  setPushConfig: rule('change', 'task'),
  removePushConfig: rule('change', 'task'),

  listApprovals: rule('see', 'approval'),
  getApproval: rule('see', 'approval'),
  decideApproval: rule('decide', 'approval'),

  createSchedule: rule('create', 'schedule'),
  listSchedules: rule('see', 'schedule'),
  getSchedule: rule('see', 'schedule'),
  changeSchedule: rule('change', 'schedule'),
  pauseSchedule: rule('pause', 'schedule'),
  resumeSchedule: rule('pause', 'schedule'),
  runSchedule: rule('run', 'schedule'),
  deleteSchedule: rule('delete', 'schedule'),

  createConversation: rule('create', 'conversation'),
  listConversations: rule('see', 'conversation'),
  getConversation: rule('see', 'conversation'),
  changeConversation: rule('change', 'conversation'),
  deleteConversation: rule('delete', 'conversation'),
  sendMessage: rule('change', 'conversation'),
  listMessages: rule('read', 'conversation'),
  followConversation: rule('read', 'conversation'),
  listConversationEvents: rule('read', 'conversation'),
  stopConversation: rule('cancel', 'conversation'),
  getConversationReaders: rule('share', 'conversation'),
  setConversationReaders: rule('share', 'conversation'),

  uploadDocuments: rule('create', 'document'),
  listDocuments: rule('see', 'document'),
  getDocument: rule('see', 'document'),
  readDocumentText: rule('read', 'document'),
  searchDocuments: rule('read', 'document'),
  deleteDocument: rule('delete', 'document'),

  getIngestion: rule('see', 'upload'),
  retryIngestion: rule('change', 'upload'),
  followIngestion: rule('read', 'upload'),
  listIngestionEvents: rule('read', 'upload'),
  getIngestionCallback: rule('read', 'upload'),
  repeatIngestionCallback: rule('change', 'upload'),

  listCollections: rule('see', 'collection'),
  getCollection: rule('see', 'collection'),
  setCollection: rule('change', 'collection'),

  createSource: rule('create', 'source'),
  listSources: rule('see', 'source'),
  getSource: rule('see', 'source'),
  changeSource: rule('change', 'source'),
  syncSource: rule('run', 'source'),
  deleteSource: rule('delete', 'source'),

  listAgents: rule('see', 'agent'),
  getAgentSettings: rule('see', 'settings'),
  setAgentSettings: rule('change', 'settings'),
  listAgentSettings: rule('see', 'settings'),
  getAgentSettingsVersion: rule('see', 'settings'),
  rollBackAgentSettings: rule('change', 'settings'),

  getUsage: rule('see', 'usage'),

  createApiKey: rule('create', 'key'),
  listApiKeys: rule('see', 'key'),
  getApiKey: rule('see', 'key'),
  rotateApiKey: rule('change', 'key'),
  revokeApiKey: rule('delete', 'key'),

  createMemory: rule('create', 'memory'),
  listMemories: rule('see', 'memory'),
  getMemory: rule('see', 'memory'),
  deleteMemory: rule('delete', 'memory'),

  ingestContacts: rule('create', 'contact'),
  listContacts: rule('read', 'contact'),
  getContact: rule('read', 'contact'),
  deleteContact: rule('delete', 'contact'),
  listContactMerges: rule('read', 'contact'),
  undoContactMerge: rule('change', 'contact'),
  listContactIngests: rule('see', 'upload'),
  getContactIngest: rule('see', 'upload'),
  listRejectedContacts: rule('read', 'upload'),
  cancelContactIngest: rule('cancel', 'upload'),
  deleteContactIngest: rule('delete', 'upload'),

  listAudit: rule('see', 'audit'),

  me: rule('see', 'identity'),
};

/** The rule of an operation. @throws Error when it has none: nothing would be checked */
export function ruleOf(operationId: string | undefined): OperationRule {
  const found =
    operationId !== undefined && Object.hasOwn(operationRules, operationId) ? operationRules[operationId] : undefined;
  if (found) return found;
  throw new Error(
    `The operation "${operationId ?? ''}" has no row in contract/rules/operations.ts. Say there what it does, and with what.`,
  );
}
