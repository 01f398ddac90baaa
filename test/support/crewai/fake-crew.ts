import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

/** The documented body of a kickoff. */
const Kickoff = z.strictObject({
  inputs: z.record(z.string(), z.string()),
  meta: z.record(z.string(), z.unknown()).optional(),
  restoreFromStateId: z.uuid().optional(),
  taskWebhookUrl: z.url().optional(),
  stepWebhookUrl: z.url().optional(),
  crewWebhookUrl: z.url().optional(),
});

type Reply = { status: number; json: unknown };

/** A crew as CrewAI documents its API: token, inputs, kickoff and status, with its errors. */
export async function startFakeCrew({ token, inputs }: { token: string; inputs: string[] }) {
  const kickoffs: { id: string; inputs: Record<string, string>; meta: Record<string, unknown> | undefined }[] = [];
  const state = {
    /** The status of a run, by how often it was asked for. */
    status: (asked: number): unknown =>
      asked < 2
        ? { status: 'running', current_task: 'research_task', progress: { completed_tasks: 1, total_tasks: 3 } }
        : { status: 'completed', result: { output: 'A plan for Lisbon.', tasks: [] }, execution_time: 1.5 },
    /** Whether the connection breaks after this request was taken. */
    loses: (_path: string): boolean => false,
    /** Resolves when a request that was taken may be answered. */
    holds: (_path: string): Promise<void> => Promise.resolve(),
    /** A page instead of an answer. */
    page: undefined as string | undefined,
  };
  const asked = new Map<string, number>();

  function reply(method: string, path: string, body: string): Reply {
    if (method === 'GET' && path === '/inputs') return { status: 200, json: { inputs } };
    if (method === 'POST' && path === '/kickoff') return kickOff(body);
    const [, id] = /^\/status\/([^/]+)$/.exec(path) ?? [];
    if (method === 'GET' && id !== undefined) {
      if (!kickoffs.some((one) => one.id === id))
        return { status: 404, json: { error: 'Execution not found', message: `No execution found with ID: ${id}` } };
      const times = (asked.get(id) ?? 0) + 1;
      asked.set(id, times);
      return { status: 200, json: state.status(times - 1) };
    }
    return { status: 404, json: { error: 'Not found', message: 'There is nothing here' } };
  }

  function kickOff(body: string): Reply {
    const parsed = Kickoff.safeParse(JSON.parse(body));
    if (!parsed.success) return { status: 400, json: { error: 'Bad Request', message: parsed.error.message } };
    const missing = inputs.filter((name) => !Object.hasOwn(parsed.data.inputs, name));
    if (missing.length > 0)
      return {
        status: 422,
        json: { error: 'Validation Error', message: 'Missing required inputs', details: { missing_inputs: missing } },
      };
    const id = randomUUID();
    kickoffs.push({ id, inputs: parsed.data.inputs, meta: parsed.data.meta });
    return { status: 200, json: { kickoff_id: id } };
  }

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const read: Buffer[] = [];
    for await (const piece of request) read.push(piece as Buffer);
    const path = request.url ?? '';
    if (request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify({ error: 'Unauthorized', message: 'Invalid or missing bearer token' }));
    }
    if (state.page !== undefined) return void response.end(state.page);
    const { status, json } = reply(request.method ?? '', path, Buffer.concat(read).toString('utf8'));
    await state.holds(path);
    if (state.loses(path)) return void response.destroy();
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(json));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    kickoffs,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
