import type { IncomingMessage } from 'node:http';
import { anthropicFault, type AnthropicBody, type Block } from './fake-anthropic-faults.ts';
import { citationFault, locationOf, type Cites } from './fake-anthropic-citations.ts';
import { frame, startWireServer, type Reply, type StreamFaults } from '../fakes/wire-server.ts';

export type AnthropicTurn = StreamFaults & {
  /** `pieces` are the deltas of a block, `cites` its citations, which are sent after the pieces unless `citesFirst`. */
  blocks?: (Block & { pieces?: string[]; cites?: Cites[]; citesFirst?: boolean })[];
  stopReason?: string;
  /** Merged into the default usage. */
  usage?: Record<string, number>;
  /** Sent instead of an answer. */
  errorResponse?: { status: number; type: string; message: string; headers?: Record<string, string> };
  /** An error event, sent after the first delta. It ends the stream. */
  errorEvent?: { type: string; message: string };
};

/**
 * A server with the documented protocol of the Messages API. It refuses what the real API refuses: a wrong key, an
 * unknown model, and the faults of `anthropicFault` and `citationFault`.
 *
 * @param options.fallback answers when no turn is scripted
 */
export async function startFakeAnthropic(
  key: string,
  { otherwise: fallback }: { otherwise?: (body: AnthropicBody) => AnthropicTurn } = {},
) {
  const turns: AnthropicTurn[] = [];
  const requests: AnthropicBody[] = [];
  const signed = new Map<string, string>();

  function reply(request: IncomingMessage, text: string): Reply {
    const body = JSON.parse(text) as AnthropicBody;
    const apiKey = request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^Bearer /, '');
    if (apiKey !== key) return refusal(401, 'authentication_error', 'invalid x-api-key');
    const counts = request.url === '/v1/messages/count_tokens';
    if (!counts && request.url !== '/v1/messages') return refusal(404, 'not_found_error', 'Not found');
    const fault = anthropicFault(request, body, { signed, counts }) ?? citationFault(body);
    if (fault) return refusal(400, 'invalid_request_error', fault);
    if (!body.model?.startsWith('claude-')) return refusal(404, 'not_found_error', `model: ${body.model}`);
    requests.push(body);
    if (counts) return { status: 200, json: { input_tokens: Math.ceil(text.length / 4) } };
    const turn = turns.shift() ?? fallback?.(body);
    if (!turn) return refusal(500, 'api_error', 'the script ran out');
    if (turn.errorResponse)
      return refusal(
        turn.errorResponse.status,
        turn.errorResponse.type,
        turn.errorResponse.message,
        turn.errorResponse.headers,
      );
    for (const { type, signature, pieces = [] } of turn.blocks ?? [])
      if (type === 'thinking') signed.set(String(signature), pieces.join(''));
    return { frames: framesOf(turn, body), wire: turn };
  }

  const server = await startWireServer(reply);
  return {
    ...server,
    /** The requests that were accepted, in order. */
    requests,
    script: (...more: AnthropicTurn[]) => void turns.splice(0, turns.length, ...more),
  };
}

const refusal = (status: number, type: string, message: string, headers?: Record<string, string>): Reply => ({
  status,
  headers: { 'request-id': 'req_1', ...headers },
  json: { type: 'error', error: { type, message }, request_id: 'req_1' },
});

function* framesOf(turn: AnthropicTurn, body: AnthropicBody): Iterable<string> {
  for (const event of eventsOf(turn, body)) yield frame(event, event.type);
}

function* eventsOf(
  { blocks = [], stopReason = 'end_turn', usage = {}, errorEvent }: AnthropicTurn,
  body: AnthropicBody,
): Iterable<{ type: string; [key: string]: unknown }> {
  const { output_tokens = 7, ...input } = usage;
  yield {
    type: 'message_start',
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: body.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 12, output_tokens: 1, ...input },
    },
  };
  yield { type: 'ping' };
  for (const [index, { pieces = [], cites = [], citesFirst, ...block }] of blocks.entries()) {
    const citations = cites.map((cited) => ({ type: 'citations_delta', citation: locationOf(body, cited) }));
    yield { type: 'content_block_start', index, content_block: startOf(block, cites.length > 0) };
    if (citesFirst) for (const delta of citations) yield { type: 'content_block_delta', index, delta };
    for (const piece of pieces) {
      yield { type: 'content_block_delta', index, delta: deltaOf(block, piece) };
      if (errorEvent) return yield { type: 'error', error: errorEvent };
    }
    if (!citesFirst) for (const delta of citations) yield { type: 'content_block_delta', index, delta };
    if (block.type === 'thinking')
      yield { type: 'content_block_delta', index, delta: { type: 'signature_delta', signature: block.signature } };
    yield { type: 'content_block_stop', index };
  }
  yield { type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, usage: { output_tokens } };
  yield { type: 'message_stop' };
}

function startOf(block: Block, hasCitations: boolean): Block {
  if (block.type === 'text') return { type: 'text', text: '', ...(hasCitations ? { citations: [] } : {}) };
  if (block.type === 'thinking') return { type: 'thinking', thinking: '', signature: '' };
  return block.type === 'tool_use' ? { ...block, input: {} } : block;
}

function deltaOf({ type }: Block, piece: string) {
  if (type === 'text') return { type: 'text_delta', text: piece };
  if (type === 'thinking') return { type: 'thinking_delta', thinking: piece };
  return { type: 'input_json_delta', partial_json: piece };
}
