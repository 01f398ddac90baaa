import { setTimeout as sleep } from 'node:timers/promises';
import type { Approval } from '../../contract/approval.ts';
import type { Task } from '../../contract/task.ts';
import { until } from '../support/until.ts';

/**
 * People and programs at the API's doors. Each request is repeated until it has an answer, with an idempotency key
 * where it starts something, as the documentation tells clients to do.
 *
 * @param urls the addresses of the API processes that answer now
 */
export function createClients(urls: () => string[]) {
  const serverErrors = new Map<string, number>();
  let turn = 0;
  let isStopped = false;

  /** @returns the answer, or undefined when there is none now and the request is to be repeated */
  async function request<T>(method: string, path: string, body?: object, key?: string): Promise<T | undefined> {
    const addresses = urls();
    const address = addresses[turn++ % addresses.length];
    if (!address) return undefined;
    try {
      const response = await fetch(`${address}${path}`, {
        method,
        headers: { 'content-type': 'application/json', ...(key ? { 'idempotency-key': key } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(15_000),
      });
      const answer = (await response.json()) as T & { code?: string; detail?: string };
      if (response.ok) return answer;
      const { code = '', detail = '' } = answer;
      if (response.status >= 500) serverErrors.set(code, (serverErrors.get(code) ?? 0) + 1);
      else if (response.status !== 409) throw new Error(`${method} ${path}: ${response.status} ${code}: ${detail}`);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith(`${method} `)) throw error;
      // The process was killed, or its answer took too long.
    }
    return undefined;
  }

  async function decideAll() {
    const page = await request<{ approvals: Approval[] }>('GET', '/v1/approvals?status=pending&limit=100');
    await Promise.all(
      (page?.approvals ?? []).map(({ id }) => request('POST', `/v1/approvals/${id}`, { decision: 'approve' })),
    );
  }

  return {
    /** Starts a task. @returns its id */
    ask: async (text: string): Promise<string> => {
      const body = { agent: 'knowledge', input: { text } };
      const task = await until(`${text} is accepted`, () => request<Task>('POST', '/v1/tasks', body, text), {
        withinMs: 900_000,
        everyMs: 500,
      });
      return task.id;
    },
    read: (id: string) => request<Task>('GET', `/v1/tasks/${id}`),
    /** Approves everything that waits, until `stop`. */
    approveEverything: async () => {
      while (!isStopped) {
        await decideAll();
        await sleep(500);
      }
    },
    stop: () => {
      isStopped = true;
    },
    /** How often the API answered with a status from 500, by its code. */
    serverErrors: () => Object.fromEntries(serverErrors),
  };
}
