import { toolError } from 'alfred/agent';
import orders from '../data/orders.json' with { type: 'json' };

export type Order = { order: string; item: string; state: string; costUsd: number };

/** Finds an order. Here it stands in a file; yours may come from a service, by `fetch`. */
export function findOrder(number: string): Order {
  const found = (orders as Order[]).find(({ order }) => order === number);
  if (!found) throw toolError('invalid_request', `There is no order ${number}.`);
  return found;
}
