import type { AssistantPart } from '../../../contract/messages.ts';
import type { ModelEvent, ModelProvider, ModelRequest } from '../../../contract/ports/index.ts';

export type CollectedResponse = {
  events: ModelEvent[];
  /** The text as it was streamed, piece by piece. */
  pieces: string[];
  text: string;
  usage?: (ModelEvent & { type: 'usage' })['usage'] | undefined;
  limits?: (ModelEvent & { type: 'limits' })['limits'] | undefined;
  end?: (ModelEvent & { type: 'end' }) | undefined;
  /** The error that ended the stream. */
  error?: unknown;
};

/**
 * Reads one response until it ends or breaks off. An error of the stream is returned, not thrown.
 *
 * @param options.stopAt aborts the call at the first event for which it returns true
 */
export async function collectResponse(
  provider: ModelProvider,
  request: ModelRequest,
  {
    abort = new AbortController(),
    stopAt = () => false,
  }: { abort?: AbortController; stopAt?: (event: ModelEvent) => boolean } = {},
): Promise<CollectedResponse> {
  const events: ModelEvent[] = [];
  let error: unknown;
  try {
    for await (const event of provider.stream(request, abort.signal)) {
      events.push(event);
      if (stopAt(event)) abort.abort();
    }
  } catch (thrown) {
    error = thrown;
  }
  const last = <Type extends ModelEvent['type']>(type: Type) =>
    events.findLast((event): event is ModelEvent & { type: Type } => event.type === type);
  const pieces = events.flatMap((event) => (event.type === 'text' ? [event.text] : []));
  return {
    events,
    pieces,
    text: pieces.join(''),
    usage: last('usage')?.usage,
    limits: last('limits')?.limits,
    end: last('end'),
    error,
  };
}

/** Reads one complete response. @throws the error that ended the stream, or when its end or usage is missing */
export async function completeResponse(provider: ModelProvider, request: ModelRequest) {
  const response = await collectResponse(provider, request);
  if (response.error instanceof Error) throw response.error;
  if (!response.end || !response.usage) throw new Error('the stream ended without its end or its usage');
  return { ...response, end: response.end, usage: response.usage };
}

export const callsIn = (parts: AssistantPart[]) => parts.flatMap((part) => (part.type === 'tool_call' ? [part] : []));
export const textIn = (parts: AssistantPart[]) =>
  parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');

export const inspectTool = {
  name: 'look',
  description: 'Looks at a place, which is a number, and says what is there.',
  inputSchema: {
    type: 'object',
    properties: { at: { type: 'integer' } },
    required: ['at'],
    additionalProperties: false,
  },
};

/** A short request. The fake providers serve models of any name. */
export const requestOf = (changes: Partial<ModelRequest> & Pick<ModelRequest, 'model'>): ModelRequest => ({
  instructions: 'Be brief.',
  messages: [{ role: 'user', text: 'Hello' }],
  tools: [],
  maxOutputTokens: 2_048,
  idempotencyKey: 'task/1',
  ...changes,
});
