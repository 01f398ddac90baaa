import type { Approval } from '../contract/approval.ts';
import type { Ingestion } from '../contract/documents.ts';
import { ingestionWorkflowId, taskWorkflowId } from '../contract/ids.ts';
import type { Task } from '../contract/task.ts';
import type { ApprovalRow, TaskRow } from '../activities/ports.ts';
import type { Config } from '../runtime/config.ts';

export const taskPath = (id: string) => `/v1/tasks/${id}`;
export const ingestionPath = (id: string) => `/v1/ingestions/${id}`;

export type LinkConfig = Pick<Config, 'TEMPORAL_NAMESPACE' | 'TEMPORAL_UI_URL'>;

/** Turns rows into what callers see: the row and where to go from there. */
export const createViews = ({ TEMPORAL_NAMESPACE: namespace, TEMPORAL_UI_URL: ui }: LinkConfig) => {
  const workflowUrl = (workflowId: string) =>
    `${ui.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
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
    ingestion: (row: Omit<Ingestion, 'links'>): Ingestion => ({
      ...row,
      links: { self: ingestionPath(row.id), temporal: workflowUrl(ingestionWorkflowId(row.id)) },
    }),
  };
};
export type Views = ReturnType<typeof createViews>;
