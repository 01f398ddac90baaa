import { z } from 'zod';
import { typedTool } from '../../../agents/tools/typed-tool.ts';

/** A tool that books at a booking server. The server counts every request, so a call that is sent twice shows. */
export const bookingTool = (url: string) => {
  const at = (receiptKey: string) => `${url}/bookings/${encodeURIComponent(receiptKey)}`;
  return typedTool({
    name: 'book',
    description: 'Books something.',
    effect: 'write',
    input: z.strictObject({ what: z.string(), isDear: z.boolean() }),
    async run({ what }, { beforeSend, receiptKey, signal }) {
      await beforeSend();
      const response = await fetch(at(receiptKey), { method: 'POST', body: what, signal });
      if (!response.ok) throw new Error(`the booking server answered ${response.status}`);
      return { output: { booked: what }, summary: `booked ${what}` };
    },
    async reconcile({ what }, { receiptKey, signal }) {
      const response = await fetch(at(receiptKey), { signal });
      if (response.status === 404) return { state: 'not_done' };
      return { state: 'done', output: { booked: what }, summary: `booked ${what}` };
    },
    async undo({ what }, _, { beforeSend, receiptKey, signal }) {
      await beforeSend();
      await fetch(at(receiptKey.replace(/\/undo$/, '')), { method: 'DELETE', signal });
      return { summary: `cancelled the booking of ${what}` };
    },
  });
};
