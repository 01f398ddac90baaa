import { taskWorkflowId } from '../contract/ids.ts';
import type { SlackPost } from '../contract/ports/index.ts';
import type { Config } from '../runtime/config.ts';
import type { SlackLinks } from './rendering/slack-message.ts';

type LinkConfig = Pick<Config, 'ALFRED_PUBLIC_URL' | 'OIDC_ISSUER' | 'TEMPORAL_NAMESPACE' | 'TEMPORAL_UI_URL'>;

/** Address of a task in Alfred; undefined where Alfred has none. */
export const taskUrlOf = ({ ALFRED_PUBLIC_URL: url }: Pick<LinkConfig, 'ALFRED_PUBLIC_URL'>, taskId: string) =>
  url === undefined ? undefined : `${url}/v1/tasks/${taskId}`;

/**
 * Where the words of an answer lead to. The Temporal UI asks for no sign-in, so its address is shown only where
 * Alfred itself asks for no sign-in.
 */
export const createLinksOf =
  ({ ALFRED_PUBLIC_URL: publicUrl, OIDC_ISSUER, TEMPORAL_NAMESPACE: namespace, TEMPORAL_UI_URL: ui }: LinkConfig) =>
  ({ agent, taskId }: Pick<SlackPost, 'agent' | 'taskId'>): SlackLinks => ({
    agent,
    taskId,
    ...(publicUrl === undefined
      ? {}
      : {
          task: taskUrlOf({ ALFRED_PUBLIC_URL: publicUrl }, taskId),
          document: ({ documentId }) => `${publicUrl}/v1/documents/${encodeURIComponent(documentId)}/text`,
        }),
    ...(OIDC_ISSUER === undefined
      ? {
          temporal: `${ui.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(taskWorkflowId(taskId))}`,
        }
      : {}),
  });
