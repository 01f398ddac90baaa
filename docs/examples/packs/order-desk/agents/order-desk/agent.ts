import { defineAgent, z } from 'alfred/agent';
import { readOrder } from './tools/read-order.ts';
import { refundOrder } from './tools/refund-order.ts';

const order = z.string().regex(/^[A-Z]-\d{4}$/, 'expected a number like A-1001').describe('The number of the order');

export default defineAgent({
  description: 'Answers questions about orders, and refunds them once a person has approved it.',
  instructions: `You work at the order desk of a shop.

Read an order before you say anything about it.
Refund only what the person asks for, and never more than the order cost. When the amount or the order is missing, ask.
Say only what the tools return. When a call failed or was denied, say so.`,
  tools: [readOrder, refundOrder],
  maxSteps: 20,

  // A question in words, or one of two typed requests, which need no model to be understood.
  input: z.union([
    z.strictObject({ text: z.string().trim().min(1).max(20_000).describe('A question in words') }),
    z.strictObject({ order, refund: z.number().positive().optional().describe('US dollars to pay back') }),
  ]),
  ask(input) {
    if ('text' in input) return input.text;
    const { order, refund } = input;
    if (refund === undefined)
      return { text: `What is the state of order ${order}?`, tool: { name: 'read_order', arguments: { order } } };
    return {
      text: `Refund ${refund} US dollars of order ${order}.`,
      tool: { name: 'refund_order', arguments: { order, amount: refund } },
    };
  },

  approvals: [{ tool: 'refund_order' }],
});
