import { isRecord } from '../../contract/json.ts';
import type { SlackAnswer, SlackCalls } from './api-calls.ts';
import type { SlackCall } from './slack-call.ts';

/**
 * Calls a method that answers in pages, as long as there is another page.
 *
 * @param args what the method takes beside the cursor
 */
export async function* pagesOf(
  calls: Pick<SlackCalls, 'call'>,
  call: Omit<SlackCall, 'arguments'>,
  args: Record<string, unknown>,
): AsyncGenerator<SlackAnswer> {
  let cursor: string | undefined;
  do {
    const page = cursor === undefined ? args : { ...args, cursor };
    const answer = await calls.call({ ...call, arguments: () => page });
    if (!answer) return;
    yield answer;
    cursor = nextCursorIn(answer);
  } while (cursor !== undefined);
}

/** Behind the last page it is empty. */
function nextCursorIn({ response_metadata: metadata }: SlackAnswer): string | undefined {
  const next = isRecord(metadata) ? metadata.next_cursor : undefined;
  return typeof next === 'string' && next !== '' ? next : undefined;
}
