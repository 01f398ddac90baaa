import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Block = { type: string; [key: string]: unknown };
type Body = {
  model?: string;
  max_tokens?: number;
  stream?: boolean;
  system?: unknown;
  tools?: { name: string; description: string; input_schema: { type?: string } }[];
  messages?: { role: string; content: Block[] }[];
};

export type FakeTurn = {
  blocks?: (Block & { pieces?: string[] })[];
  stopReason?: string;
  usage?: Record<string, number>;
  /** Instead of an answer. */
  refuse?: { status: number; type: string; message: string; headers?: Record<string, string> };
  /** Ends the connection after this many events. */
  cutAfter?: number;
  /** Sends this error event after the first delta. */
  errorEvent?: { type: string; message: string };
};

/**
 * Speaks the Messages API's wire protocol as documented, and refuses what the real one refuses: a wrong key, a missing
 * version, max_tokens left out, roles that do not begin with user, a tool result without its tool use in the turn
 * before, more than four cache breakpoints, empty text blocks.
 */
export async function startFakeAnthropic(key: string) {
  const turns: FakeTurn[] = [];
  const requests: Body[] = [];
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse) {
    let text = '';
    for await (const piece of request) text += String(piece);
    const body = JSON.parse(text) as Body;
    const given = request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^Bearer /, '');
    if (given !== key) return refuse(response, 401, 'authentication_error', 'invalid x-api-key');
    const fault = faultOf(request, body);
    if (fault) return refuse(response, 400, 'invalid_request_error', fault);
    requests.push(body);
    const turn = turns.shift();
    if (!turn) return refuse(response, 500, 'api_error', 'the script ran out');
    if (turn.refuse)
      return refuse(response, turn.refuse.status, turn.refuse.type, turn.refuse.message, turn.refuse.headers);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let sent = 0;
    for (const event of eventsOf(turn, body.model ?? '')) {
      if (turn.cutAfter !== undefined && sent++ >= turn.cutAfter) return void response.destroy();
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    script: (...more: FakeTurn[]) => void turns.splice(0, turns.length, ...more),
    close: () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
}

function refuse(
  response: ServerResponse,
  status: number,
  type: string,
  message: string,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ type: 'error', error: { type, message } }));
}

function faultOf(
  request: IncomingMessage,
  { model, max_tokens, messages = [], tools = [], ...body }: Body,
): string | undefined {
  if (!request.headers['anthropic-version']) return 'anthropic-version: header is required';
  if (!model) return 'model: Field required';
  if (!max_tokens) return 'max_tokens: Field required';
  if (messages[0]?.role !== 'user') return 'messages: first message must use the "user" role';
  if (tools.some(({ input_schema }) => input_schema?.type !== 'object'))
    return 'tools.0.input_schema.type: Field required';
  const breakpoints = JSON.stringify([messages, tools, body.system]).split('"cache_control"').length - 1;
  if (breakpoints > 4) return 'A maximum of 4 blocks with cache_control may be provided.';
  for (const [i, { content }] of messages.entries()) {
    if (content.some((block) => block.type === 'text' && !String(block.text).trim()))
      return 'messages: text content blocks must be non-empty';
    const before = messages[i - 1]?.content ?? [];
    const asked = before.filter(({ type }) => type === 'tool_use').map(({ id }) => id);
    const answered = content.filter(({ type }) => type === 'tool_result').map(({ tool_use_id }) => tool_use_id);
    if (answered.some((id) => !asked.includes(id)))
      return `messages.${i}: unexpected tool_use_id found in tool_result blocks`;
    if (asked.some((id) => !answered.includes(id)))
      return `messages.${i}: tool_use ids were found without tool_result blocks immediately after`;
  }
  return undefined;
}

function* eventsOf(
  { blocks = [], stopReason = 'end_turn', usage = {}, errorEvent }: FakeTurn,
  model: string,
): Iterable<{ type: string; [key: string]: unknown }> {
  const { output_tokens = 7, ...input } = usage;
  yield {
    type: 'message_start',
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 12, output_tokens: 1, ...input },
    },
  };
  yield { type: 'ping' };
  for (const [index, { pieces, ...block }] of blocks.entries()) {
    const start =
      block.type === 'text'
        ? { type: 'text', text: '' }
        : block.type === 'tool_use'
          ? { ...block, input: {} }
          : block.type === 'thinking'
            ? { type: 'thinking', thinking: '', signature: '' }
            : block;
    yield { type: 'content_block_start', index, content_block: start };
    for (const piece of pieces ?? []) {
      const delta =
        block.type === 'text'
          ? { type: 'text_delta', text: piece }
          : block.type === 'thinking'
            ? { type: 'thinking_delta', thinking: piece }
            : { type: 'input_json_delta', partial_json: piece };
      yield { type: 'content_block_delta', index, delta };
      if (errorEvent) yield { type: 'error', error: errorEvent };
    }
    if (block.type === 'thinking')
      yield { type: 'content_block_delta', index, delta: { type: 'signature_delta', signature: block.signature } };
    yield { type: 'content_block_stop', index };
  }
  yield { type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, usage: { output_tokens } };
  yield { type: 'message_stop' };
}
