import type { Approval } from '../contract/approval.ts';
import type { Conversation, MessageReceipt } from '../contract/conversation.ts';
import type { Ingestion } from '../contract/documents.ts';
import {
  conversationWorkflowId,
  ingestionWorkflowId,
  scheduleWorkflowId,
  sourceWorkflowId,
  taskWorkflowId,
} from '../contract/ids.ts';
import type { Scope } from '../contract/references.ts';
import type { Schedule } from '../contract/schedule.ts';
import type { Source } from '../contract/sources.ts';
import type { Task } from '../contract/task.ts';
import type {
  ApprovalRow,
  ConversationRow,
  Receipt,
  ScheduleRow,
  ScheduleStatus,
  SourceRow,
  TaskRow,
} from '../contract/ports/index.ts';
import type { Config } from '../runtime/config.ts';
import { scheduleView } from './schedule-view.ts';

export const taskPath = (id: string) => `/v1/tasks/${id}`;
export const conversationPath = (id: string) => `/v1/conversations/${id}`;
export const ingestionPath = (id: string) => `/v1/ingestions/${id}`;
export const schedulePath = (id: string) => `/v1/schedules/${id}`;

export const sourcePath = (id: string) => `/v1/sources/${id}`;

export type LinkConfig = Pick<Config, 'TEMPORAL_NAMESPACE' | 'TEMPORAL_UI_URL'>;

/** Renders rows as callers see them: the row with links to what belongs to it. */
export const createViews = ({ TEMPORAL_NAMESPACE: namespace, TEMPORAL_UI_URL: ui }: LinkConfig) => {
  const urlOf = (kind: 'workflows' | 'schedules', id: string) =>
    `${ui.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/${kind}/${encodeURIComponent(id)}`;
  const workflowUrl = (workflowId: string) => urlOf('workflows', workflowId);
  return {
    task: (row: TaskRow): Task => ({
      ...row,
      links: {
        self: taskPath(row.id),
        events: `${taskPath(row.id)}/events`,
        temporal: workflowUrl(taskWorkflowId(row.id)),
      },
    }),
    approval: (row: ApprovalRow): Approval => ({
      ...row,
      links: {
        self: `/v1/approvals/${row.id}`,
        task: taskPath(row.taskId),
        temporal: workflowUrl(taskWorkflowId(row.taskId)),
      },
    }),
    conversation: (row: ConversationRow): Conversation => ({
      ...row,
      links: {
        self: conversationPath(row.id),
        messages: `${conversationPath(row.id)}/messages`,
        events: `${conversationPath(row.id)}/events`,
        temporal: workflowUrl(conversationWorkflowId(row.id)),
      },
    }),
    receipt: (receipt: Receipt): MessageReceipt => ({
      ...receipt,
      links: {
        task: receipt.taskId === null ? null : taskPath(receipt.taskId),
        conversation: conversationPath(receipt.conversationId),
        events: `${conversationPath(receipt.conversationId)}/events`,
      },
    }),
    ingestion: (row: Omit<Ingestion, 'links'>): Ingestion => ({
      ...row,
      links: {
        self: ingestionPath(row.id),
        events: `${ingestionPath(row.id)}/events`,
        temporal: workflowUrl(ingestionWorkflowId(row.id)),
      },
    }),
    source: (row: SourceRow): Source => ({
      ...row,
      links: { self: sourcePath(row.id), temporal: workflowUrl(sourceWorkflowId(row.id)) },
    }),
    schedule: (viewer: Scope, row: ScheduleRow, status: ScheduleStatus): Schedule =>
      scheduleView(viewer, row, status, {
        self: schedulePath(row.id),
        temporal: urlOf('schedules', scheduleWorkflowId(row.id)),
      }),
  };
};
export type Views = ReturnType<typeof createViews>;
