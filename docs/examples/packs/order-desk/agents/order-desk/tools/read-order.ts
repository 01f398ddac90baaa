import { defineTool, z } from 'alfred/agent';
import { findOrder } from './orders.ts';

export const readOrder = defineTool({
  name: 'read_order',
  description: 'Reads an order by its number: what was ordered, its state and what it cost in US dollars.',
  input: z.strictObject({ order: z.string().describe('A number like A-1001') }),
  async run({ order }) {
    const found = findOrder(order);
    return { output: found, summary: `Order ${order} is ${found.state}` };
  },
});
