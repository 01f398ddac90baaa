import { taskWorkflowId } from '../contract/ids.ts';
import type { SlackPost } from '../contract/ports/index.ts';
import type { Config } from '../runtime/config.ts';
import type { SlackLinks } from './rendering/slack-message.ts';

type LinkConfig = Pick<Config, 'ALFRED_PUBLIC_URL' | 'OIDC_ISSUER' | 'TEMPORAL_NAMESPACE' | 'TEMPORAL_UI_URL'>;

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
          task: `${publicUrl}/v1/tasks/${taskId}`,
          document: ({ documentId }) => `${publicUrl}/v1/documents/${encodeURIComponent(documentId)}/text`,
        }),
    ...(OIDC_ISSUER === undefined
      ? {
          temporal: `${ui.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(taskWorkflowId(taskId))}`,
        }
      : {}),
  });
