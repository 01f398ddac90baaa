import type { types } from '@slack/bolt';
import type { Citation } from '../../contract/task.ts';

/** What `chat.postMessage` and `chat.update` take. `text` is read by notifications and screen readers. */
export type SlackMessage = { text: string; blocks: types.KnownBlock[] };

/** Where the words of a message lead to. */
export type SlackLinks = {
  /** The agent's name. */
  agent: string;
  /** No one has asked where the answer stands: people read it and nothing else of the task, and cannot act on it. */
  isUnasked?: boolean | undefined;
  /** What stands above the answer. */
  title?: string | undefined;
  /** For commands that a message names. */
  taskId?: string | undefined;
  /** Address of the task in Alfred. */
  task?: string | undefined;
  /** Address of its workflow in Temporal Web UI. */
  temporal?: string | undefined;
  /** Address of a cited document. */
  document?: ((citation: Citation) => string | undefined) | undefined;
};
