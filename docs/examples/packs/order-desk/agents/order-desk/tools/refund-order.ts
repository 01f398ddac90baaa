import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineTool, toolError, z } from 'alfred/agent';
import { findOrder } from './orders.ts';

/** Pays an order back. Here a refund is a file; yours may be a request to a service that knows repeats by their key. */
export const refundOrder = defineTool({
  name: 'refund_order',
  description: 'Pays a part of an order back. Returns the number of the refund.',
  effect: 'write',
  repeatable: true,
  settings: {
    ORDER_DESK_FOLDER: { description: 'the folder in which refunds are written down', required: false },
  },
  input: z.strictObject({
    order: z.string().describe('A number like A-1001'),
    amount: z.number().positive().describe('US dollars'),
  }),
  check({ order, amount }) {
    const { costUsd } = findOrder(order);
    if (amount > costUsd)
      throw toolError('invalid_request', `Order ${order} cost ${costUsd} USD, so ${amount} USD cannot be refunded.`);
  },
  async run({ order, amount }, { idempotencyKey, settings, beforeSend }) {
    const folder = folderOf(settings.ORDER_DESK_FOLDER);
    await mkdir(folder, { recursive: true });
    await beforeSend();
    await writeFile(join(folder, `${idempotencyKey}.json`), JSON.stringify({ order, amount }));
    return { output: { refund: idempotencyKey, order, amount }, summary: `Refunded ${amount} USD of order ${order}` };
  },
  async undo({ order, amount }, output, { settings, beforeSend }) {
    const file = join(folderOf(settings.ORDER_DESK_FOLDER), `${refundIn(output)}.json`);
    await readFile(file);
    await beforeSend();
    await rm(file);
    return { summary: `Took back the refund of ${amount} USD of order ${order}` };
  },
});

const folderOf = (setting: string | undefined) => setting ?? join(tmpdir(), 'order-desk');
const refundIn = (output: unknown) => z.object({ refund: z.string().regex(/^[\w-]+$/) }).parse(output).refund;
