import type { IncomingMessage } from 'node:http';
import { openAiFault, type OpenAiBody } from './fake-openai-faults.ts';
import { frame, startWireServer, type Reply, type StreamFaults } from '../fakes/wire-server.ts';

/** How compatible servers deviate from the original API. */
export type Quirk =
  /** Tool calls come without their id, without their index, or in one chunk. */
  | 'no ids'
  | 'no index'
  | 'whole calls'
  /** The chunks of several tool calls alternate. */
  | 'interleaved'
  /** `finish_reason` is `stop` although there are tool calls. */
  | 'stop for tools'
  /** No usage is reported. */
  | 'no usage'
  /** The last chunk with choices carries the usage. */
  | 'usage with the end'
  /** The stream ends with `[DONE]` and without `finish_reason`. */
  | 'no finish reason'
  /** One JSON document although a stream was asked for. `indented`: on many lines. */
  | 'one document'
  | 'indented'
  /** Later requests must contain the reasoning of a message with calls, and the unknown fields of its calls. */
  | 'wants all back';

export type OpenAiTurn = StreamFaults & {
  /** Strings, or lists of parts as they are. */
  text?: (string | object[])[];
  /** `reasoning_content`, as servers of reasoning models stream it. */
  reasoning?: string[];
  /** The name of the field for reasoning. */
  reasoningField?: string;
  refusal?: string[];
  /** `pieces` are the deltas of the arguments. */
  calls?: { id: string; name: string; pieces: string[]; extra?: object; functionExtra?: object }[];
  finishReason?: string;
  usage?: { prompt_tokens: number; completion_tokens: number; prompt_tokens_details?: { cached_tokens: number } };
  quirks?: Quirk[];
  /** Sent instead of an answer. */
  errorResponse?: {
    status: number;
    message: string;
    type?: string;
    code?: string | number | null;
    headers?: Record<string, string>;
  };
  /** An error, sent after the first chunk of the answer. It ends the stream. */
  errorChunk?: { message: string; type?: string; code?: string | number };
};

/**
 * A server with the documented protocol of Chat Completions. It refuses what the real API refuses: a wrong key, an
 * unknown model, and the faults of `openAiFault`.
 *
 * @param key the only valid key; undefined: every key is valid, as for a local model server
 * @param options.fallback answers when no turn is scripted
 */
export async function startFakeOpenAi(
  key: string | undefined,
  { otherwise: fallback }: { otherwise?: (body: OpenAiBody) => OpenAiTurn } = {},
) {
  const turns: OpenAiTurn[] = [];
  const requests: OpenAiBody[] = [];
  /** Turns whose reasoning and unknown fields the later requests must contain. */
  const wanted: OpenAiTurn[] = [];

  function reply(request: IncomingMessage, text: string): Reply {
    const apiKey = request.headers.authorization?.replace(/^Bearer /, '');
    if (key !== undefined && apiKey !== key)
      return refusal({
        status: 401,
        message: `Incorrect API key provided: ${apiKey?.slice(0, 5)}***. You can find your API key at your account page.`,
        code: 'invalid_api_key',
      });
    if (request.url !== '/v1/chat/completions')
      return refusal({ status: 404, message: `Invalid URL (${request.method} ${request.url})` });
    const body = JSON.parse(text) as OpenAiBody;
    const fault = openAiFault(body);
    if (fault) return refusal({ status: 400, ...fault });
    if (body.model === 'no-such-model')
      return refusal({
        status: 404,
        message: `The model \`${body.model}\` does not exist or you do not have access to it.`,
        code: 'model_not_found',
      });
    const missing = missingIn(body, wanted);
    if (missing) return refusal({ status: 400, message: missing });
    requests.push(body);
    const turn = turns.shift() ?? fallback?.(body);
    if (!turn) return refusal({ status: 500, message: 'the script ran out', type: 'server_error' });
    if (turn.errorResponse) return refusal(turn.errorResponse);
    if (turn.quirks?.includes('wants all back')) wanted.push(turn);
    if (turn.quirks?.includes('one document')) return { frames: [documentOf(turn, body)], wire: turn };
    return { frames: framesOf(turn, body), wire: turn };
  }

  const server = await startWireServer(reply);
  return {
    ...server,
    /** The base URL for clients. */
    url: `${server.url}/v1`,
    /** The requests that were accepted, in order. */
    requests,
    script: (...more: OpenAiTurn[]) => void turns.splice(0, turns.length, ...more),
  };
}

const refusal = ({
  status,
  headers,
  message,
  type = 'invalid_request_error',
  code = null,
}: NonNullable<OpenAiTurn['errorResponse']>): Reply => ({
  status,
  headers: { 'x-request-id': 'req_1', ...headers },
  json: { error: { message, type, param: null, code } },
});

function* framesOf(turn: OpenAiTurn, { model, stream_options }: OpenAiBody): Iterable<string> {
  const { usage = { prompt_tokens: 12, completion_tokens: 7 }, quirks = [], errorChunk } = turn;
  const hasUsage = stream_options?.include_usage === true && !quirks.includes('no usage');
  const total = { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens };
  const withTheEnd = hasUsage && quirks.includes('usage with the end');
  const chunk = (choices: object[], spent: object | null = null) =>
    frame({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model,
      choices,
      ...(hasUsage ? { usage: spent } : {}),
    });
  const choice = (delta: object, finish_reason: string | null = null) => ({
    index: 0,
    delta,
    logprobs: null,
    finish_reason,
  });

  yield chunk([choice({ role: 'assistant', content: '', refusal: null })]);
  if (errorChunk) return yield frame({ error: errorChunk });
  for (const delta of deltasOf(turn, quirks)) yield chunk([choice(delta)]);
  if (!quirks.includes('no finish reason')) yield chunk([choice({}, finishOf(turn))], withTheEnd ? total : null);
  if (hasUsage && !withTheEnd) yield chunk([], total);
  yield frame('[DONE]');
}

const finishOf = ({ finishReason, calls, quirks = [] }: OpenAiTurn) =>
  finishReason ?? (calls && !quirks.includes('stop for tools') ? 'tool_calls' : 'stop');

/** The whole response as one JSON document. */
function documentOf(turn: OpenAiTurn, { model }: OpenAiBody): string {
  const { text = [], reasoning, reasoningField = 'reasoning_content', refusal, calls, quirks = [] } = turn;
  const { prompt_tokens, completion_tokens } = turn.usage ?? { prompt_tokens: 12, completion_tokens: 7 };
  const message = {
    role: 'assistant',
    content: text.every((piece) => typeof piece === 'string') ? text.join('') : text.flat(),
    ...(reasoning ? { [reasoningField]: reasoning.join('') } : {}),
    ...(refusal ? { refusal: refusal.join('') } : {}),
    ...(calls ? { tool_calls: calls.map(wireCall) } : {}),
  };
  const document = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model,
    choices: [{ index: 0, message, finish_reason: finishOf(turn) }],
    usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
  };
  return JSON.stringify(document, null, quirks.includes('indented') ? 2 : 0);
}

const wireCall = ({ id, name, pieces, extra, functionExtra }: NonNullable<OpenAiTurn['calls']>[number]) => ({
  ...extra,
  id,
  type: 'function',
  function: { ...functionExtra, name, arguments: pieces.join('') },
});

function* deltasOf(
  { text = [], reasoning = [], reasoningField = 'reasoning_content', refusal = [], calls = [] }: OpenAiTurn,
  quirks: Quirk[],
): Iterable<object> {
  for (const piece of reasoning) yield { [reasoningField]: piece };
  for (const piece of text) yield { content: piece };
  for (const piece of refusal) yield { refusal: piece };
  const deltas = calls.map((call, index) => callDeltas(call, index, quirks));
  if (!quirks.includes('interleaved')) return yield* deltas.flat();
  for (let i = 0; deltas.some((list) => i < list.length); i++) for (const list of deltas) yield* list.slice(i, i + 1);
}

function callDeltas(call: NonNullable<OpenAiTurn['calls']>[number], index: number, quirks: Quirk[]) {
  const { id, name, pieces, extra, functionExtra } = call;
  const delta = (piece: object) => ({ tool_calls: [{ ...(quirks.includes('no index') ? {} : { index }), ...piece }] });
  const head = { ...extra, ...(quirks.includes('no ids') ? {} : { id }), type: 'function' };
  if (quirks.includes('whole calls'))
    return [delta({ ...head, function: { ...functionExtra, name, arguments: pieces.join('') } })];
  return [
    delta({ ...head, function: { ...functionExtra, name, arguments: '' } }),
    ...pieces.map((piece) => delta({ function: { arguments: piece } })),
  ];
}

/** What a request lacks of the turns whose reasoning and unknown fields must come back. */
function missingIn({ messages = [] }: OpenAiBody, wanted: OpenAiTurn[]): string | undefined {
  for (const { reasoning, reasoningField = 'reasoning_content', calls = [] } of wanted) {
    const sent = messages.find(({ tool_calls }) => tool_calls?.some(({ id }) => id === calls[0]?.id));
    if (!sent) continue;
    if (reasoning && (sent as Record<string, unknown>)[reasoningField] !== reasoning.join(''))
      return `The \`${reasoningField}\` in the thinking mode must be passed back to the API.`;
    for (const { extra, functionExtra, ...call } of calls) {
      const sentCall = sent.tool_calls?.find(({ id }) => id === call.id);
      if (!containsFields(sentCall, extra) || !containsFields(sentCall?.function, functionExtra))
        return `Function call \`${call.name}\` is missing a thought_signature.`;
    }
  }
  return undefined;
}

const containsFields = (value: object = {}, fields: object = {}) =>
  Object.entries(fields).every(
    ([name, field]) => JSON.stringify((value as Record<string, unknown>)[name]) === JSON.stringify(field),
  );
