import type { SlackPlace } from '../../contract/ports/index.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';

/** Shows in a thread what Alfred does while `work` runs. Nothing depends on it: its failures are only counted. */
export const createReadingStatus =
  (calls: SlackCalls) =>
  async <T>({ team, channel, threadTs }: SlackPlace, status: string, work: () => Promise<T>): Promise<T> => {
    const show = (text: string) =>
      calls
        .call({
          team,
          method: 'assistant.threads.setStatus',
          order: `files ${channel} ${threadTs}`,
          arguments: () => ({ channel_id: channel, thread_ts: threadTs, status: text }),
        })
        .catch(() => undefined);
    const shown = show(status);
    try {
      return await work();
    } finally {
      await shown;
      await show('');
    }
  };
