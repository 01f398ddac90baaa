import type { types } from '@slack/bolt';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { isSlackCallError } from '../api-calls/call-error.ts';
import type { Act } from './press.ts';

/**
 * Opens a form for the person who has pressed.
 *
 * @returns false when that is too long ago: Slack takes it within three seconds
 */
export async function openForm(
  calls: SlackCalls,
  { team, triggerId }: Pick<Act, 'team' | 'triggerId'>,
  view: types.ModalView,
): Promise<boolean> {
  try {
    const args = { trigger_id: triggerId, view };
    await calls.call({ team, method: 'views.open', isUrgent: true, arguments: () => args });
    return true;
  } catch (error) {
    // A process that ended before it could say so has opened it.
    if (isSlackCallError(error) && error.code === 'exchanged_trigger_id') return true;
    if (isSlackCallError(error) && error.code.endsWith('trigger_id')) return false;
    throw error;
  }
}
