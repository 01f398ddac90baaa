import { Artifact, ArtifactList } from '../../contract/artifacts.ts';
import { z } from 'zod';
import { Approval, ApprovalDecision, ApprovalList, Approvers } from '../../contract/approval.ts';
import { ApiKey, ApiKeyList, ApiKeyRequest, ApiKeyRotation, Me, NewApiKey } from '../../contract/api-keys.ts';
import { AuditEntry, AuditList } from '../../contract/audit.ts';
import { AgentDescription, AgentList } from '../../contract/agents.ts';
import { Callback, CallbackState, PushConfig, PushConfigView } from '../../contract/callback.ts';
import { IngestionReport, TaskReport } from '../../contract/callback-report.ts';
import {
  AgentSettings,
  AgentSettingsChange,
  AgentSettingsList,
  AgentSettingsRollback,
  AgentSettingsVersion,
  OwnAgentSettings,
} from '../../contract/agent-settings.ts';
import { Collection, CollectionList, CollectionSettings } from '../../contract/collections.ts';
import {
  Conversation,
  ConversationChange,
  ConversationEvent,
  ConversationEventPage,
  ConversationList,
  ConversationMessage,
  ConversationRequest,
  MessageList,
  MessageReceipt,
  MessageRequest,
  StopReceipt,
  StopRequest,
} from '../../contract/conversation.ts';
import {
  Document,
  DocumentList,
  DocumentText,
  DocumentUpload,
  IngestedFile,
  Ingestion,
  Rank,
  RankedPassage,
  SearchRequest,
  SearchResult,
} from '../../contract/documents.ts';
import { ErrorCodeSchema } from '../../contract/error-code.ts';
import { TaskEvent, TaskEventPage } from '../../contract/events.ts';
import { DependencyState, Health, Readiness } from '../../contract/health.ts';
import { IngestionEvent, IngestionEventPage } from '../../contract/ingestion-events.ts';
import { Json } from '../../contract/json-schema.ts';
import { NextCursor } from '../../contract/paging.ts';
import { Problem } from '../../contract/problem.ts';
import { ReaderList } from '../../contract/readers.ts';
import { Schedule, ScheduleChange, ScheduleList, ScheduleRequest, ScheduleRun } from '../../contract/schedule.ts';
import { Source, SourceChange, SourceList, SourceRequest } from '../../contract/sources.ts';
import {
  Budget,
  BudgetGrant,
  CancelRequest,
  CheckedCitation,
  Citation,
  Effect,
  Metadata,
  Task,
  TaskCitations,
  TaskError,
  TaskList,
  TaskRequest,
  TaskResult,
  TaskStatus,
  TaskUsage,
  Waiting,
} from '../../contract/task.ts';
import {
  Contact,
  ContactIngest,
  ContactIngestList,
  ContactInputs,
  ContactList,
  ContactMerge,
  ContactMergeList,
} from '../../contract/contacts.ts';
import { Memory, MemoryList, MemoryRequest } from '../../contract/memories.ts';
import { UsageReport, UsageRow } from '../../contract/usage.ts';
import { namedEvents } from './event-schemas.ts';
import { describeForReaders } from './readable-schema.ts';

/** Schemas that requests and responses share. What they say of a request holds for both. */
const shared = { Budget, Json, OwnAgentSettings, ReaderList };
const accepted = {
  ...shared,
  AgentSettingsChange,
  AgentSettingsRollback,
  ApiKeyRequest,
  ApiKeyRotation,
  ApprovalDecision,
  BudgetGrant,
  Callback,
  PushConfig,
  CancelRequest,
  CollectionSettings,
  ContactInputs,
  DocumentUpload,
  MemoryRequest,
  Metadata,
  ScheduleChange,
  ScheduleRequest,
  SearchRequest,
  SourceChange,
  SourceRequest,
  ConversationChange,
  ConversationRequest,
  MessageRequest,
  StopRequest,
  TaskRequest,
};
const answered = {
  Artifact,
  ArtifactList,
  ...shared,
  AgentDescription,
  Memory,
  MemoryList,
  AgentList,
  AgentSettings,
  AgentSettingsList,
  AgentSettingsVersion,
  ApiKey,
  ApiKeyList,
  AuditEntry,
  AuditList,
  Approval,
  ApprovalList,
  Approvers,
  CallbackState,
  PushConfigView,
  Citation,
  Collection,
  CollectionList,
  Contact,
  ContactIngest,
  ContactIngestList,
  ContactList,
  ContactMerge,
  ContactMergeList,
  Conversation,
  ConversationEvent,
  ConversationEventPage,
  ConversationList,
  ConversationMessage,
  DependencyState,
  Document,
  DocumentList,
  DocumentText,
  Effect,
  ErrorCode: ErrorCodeSchema,
  Health,
  IngestedFile,
  Ingestion,
  IngestionEvent,
  IngestionEventPage,
  IngestionReport,
  Me,
  MessageList,
  MessageReceipt,
  NewApiKey,
  NextCursor,
  RankedPassage,
  Rank,
  CheckedCitation,
  TaskCitations,
  Problem,
  Readiness,
  Schedule,
  ScheduleList,
  ScheduleRun,
  SearchResult,
  Source,
  SourceList,
  StopReceipt,
  Task,
  TaskError,
  TaskEvent,
  TaskEventPage,
  TaskList,
  TaskReport,
  TaskResult,
  TaskStatus,
  TaskUsage,
  Waiting,
  UsageReport,
  UsageRow,
  ...namedEvents,
};

type Io = 'input' | 'output';
type JsonSchema = Record<string, unknown>;
const names = { input: accepted, output: answered };

const uri = (id: string) => `#/components/schemas/${id}`;

function convert(schemas: Record<string, z.ZodType>, io: Io): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const converted = z.toJSONSchema(registry, {
    io,
    uri,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => describeForReaders(zodSchema, jsonSchema, io),
  }).schemas;
  return Object.fromEntries(Object.entries(converted).map(([id, schema]) => [id, withoutIdentity(schema)]));
}

/** Removes `$id` and `$schema`: in the document a schema is named by its place. */
function withoutIdentity({ $id: _id, $schema: _schema, id: _legacy, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

/** All named schemas of the contract, for `components.schemas`. */
export const namedSchemas = (): Record<string, JsonSchema> => ({
  ...convert(answered, 'output'),
  ...convert(accepted, 'input'),
});

/** Converts a zod schema to JSON Schema: a reference if it has a name, else inline with references inside. */
export function jsonSchemaOf(schema: z.ZodType, io: Io): JsonSchema {
  const name = Object.entries(names[io]).find(([, named]) => named === schema)?.[0];
  if (name) return { $ref: uri(name) };
  return convert({ ...names[io], inline: schema }, io)['inline'] ?? {};
}
