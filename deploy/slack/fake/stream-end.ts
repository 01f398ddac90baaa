import { isRecord } from '../../../contract/json.ts';
import type { Block, Message } from './types.ts';

const tasksOf = (block: Block): Block[] =>
  block['type'] === 'plan' && Array.isArray(block['tasks']) ? block['tasks'].filter(isRecord) : [block];

/** Ends a stream. Slack shows tasks that were still open then as failed: https://github.com/vercel/chat/pull/917 */
export function endStream(message: Message, state: 'completed' | 'errored'): void {
  if (!message.stream) return;
  message.stream.state = state;
  for (const task of message.blocks.flatMap(tasksOf))
    if (task['type'] === 'task_card' && task['status'] === 'in_progress') task['status'] = 'error';
}
