import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

type Body = { messages: { role: string; content?: unknown; tool_calls?: unknown[] }[] };

/** One response, as the provider sent it. */
export type ServedResponse = { task: string; step: number; text: string; isComplete: boolean };

/**
 * The input tokens that the first response reports. Each further response reports one more, so the tokens in the ledger
 * identify a response.
 */
export const firstSerial = 1_000;

/** How many tool calls the response of a step contains. */
export const callsOf = (step: number) => (step % 3 === 2 ? 2 : 1);

type ToolCall = { name: string; arguments: object };

/** The searches of a step. */
const searchesOf = (step: number): ToolCall[] =>
  Array.from({ length: callsOf(step) }, (_, index) => ({
    name: 'search_documents',
    arguments: { query: `${step} ${index}` },
  }));

/**
 * An OpenAI-compatible server that records its responses, and which of them it sent to the end. The input tokens
 * identify a response: see `firstSerial`. It searches, in every third response twice, until `finish` is called.
 *
 * @param options.pieceMs the time between two pieces of a response
 * @param options.callsAt the tool calls of a step, instead of the searches; a step without any is the last one
 * @param options.answerTo the text of the last step, whose number among all responses is `serial`
 */
export async function startCountingProvider({
  pieceMs,
  callsAt,
  answerTo = (task) => `The answer to ${task}.`,
}: {
  pieceMs: number;
  callsAt?: (step: number) => ToolCall[];
  answerTo?: (task: string, serial: number) => string;
}) {
  const responses: ServedResponse[] = [];
  let isFinishing = false;
  const nextCalls = callsAt ?? ((step: number) => (isFinishing && step > 1 ? [] : searchesOf(step)));
  const server = createServer((request, response) => void answer(request, response).catch(() => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const bytes: Buffer[] = [];
    for await (const piece of request) bytes.push(piece as Buffer);
    const { messages } = JSON.parse(Buffer.concat(bytes).toString()) as Body;
    const step = 1 + messages.filter(({ role }) => role === 'assistant').length;
    const task = String(messages.find(({ role }) => role === 'user')?.content);
    const serial = firstSerial + responses.length;
    const calls = nextCalls(step);
    const text = calls.length === 0 ? answerTo(task, serial) : `Step ${step} of ${task}, looking on. `;
    const record = { task, step, text, isComplete: false };
    responses.push(record);

    const send = (delta: object, finish: string | null = null) =>
      write(response, { choices: [{ index: 0, delta, finish_reason: finish }] });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const word of text.match(/\S+\s*/g) ?? []) {
      send({ content: word });
      await sleep(pieceMs);
    }
    for (const [index, { name, arguments: input }] of calls.entries()) {
      const fn = { name, arguments: JSON.stringify(input) };
      send({ tool_calls: [{ index, id: `call_${index}`, type: 'function', function: fn }] });
    }
    send({}, calls.length > 0 ? 'tool_calls' : 'stop');
    write(response, {
      choices: [],
      usage: { prompt_tokens: serial, completion_tokens: 10, total_tokens: serial + 10 },
    });
    if (response.destroyed) return;
    record.isComplete = true;
    response.end('data: [DONE]\n\n');
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    responses,
    /** From now on it answers without calling tools. */
    finish: () => {
      isFinishing = true;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const write = (response: ServerResponse, rest: object) =>
  response.write(
    `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'counting', ...rest })}\n\n`,
  );
