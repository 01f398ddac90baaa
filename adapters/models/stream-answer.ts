import { AlfredError } from '../../contract/errors.ts';
import type { ModelEvent, ProviderLimits, TokenCounts } from '../../contract/ports/index.ts';
import { providerError, type ProviderFailure } from '../outbound/provider-errors.ts';
import { partsWithoutThinking, removeThinking } from './remove-thinking.ts';
import { watchSending } from './watch-sending.ts';
import { watchSilence } from './watch-silence.ts';

/** Builds one response from the pieces that a provider streams. */
export interface AnswerBuilder<Piece> {
  /** Adds a piece. @returns the events that can be passed on at once */
  add(piece: Piece): Iterable<ModelEvent>;
  /** Tokens so far, estimated if the provider has not counted them yet; undefined before the first piece. */
  usage(): TokenCounts | undefined;
  /**
   * The complete response, or undefined if the provider has not ended it.
   *
   * @throws AlfredError when it ended in a way that leaves no usable response
   */
  end(): (ModelEvent & { type: 'end' }) | undefined;
}

type ProviderStream<Piece> = {
  provider: string;
  /** Longest silence, in milliseconds. */
  idleMs: number;
  open: (signal: AbortSignal) => Promise<{ pieces: AsyncIterable<Piece>; headers: Headers }>;
  parseLimits: (headers: Headers) => ProviderLimits | undefined;
  /** The failure that an SDK error reports; undefined if the error does not come from the provider. */
  parseFailure: (error: unknown) => ProviderFailure | undefined;
};

/**
 * Streams a response of an HTTP provider as events: rate limits first, then text without what the model thinks aloud,
 * then the tokens and the end.
 *
 * @throws AlfredError `model_unavailable` when the stream is silent for too long, breaks off or ends early, after the
 *   usage of what was received; other codes for a failure that the provider reports. An abort is thrown as it is.
 */
export async function* streamAnswer<Piece>(
  { provider, idleMs, open, parseLimits, parseFailure }: ProviderStream<Piece>,
  answer: AnswerBuilder<Piece>,
  signal: AbortSignal,
): AsyncIterable<ModelEvent> {
  signal.throwIfAborted();
  const watch = watchSilence(signal, idleMs);
  const sending = watchSending();
  let isOpen = false;
  try {
    const { pieces, headers } = await watch.wait(sending.send(() => open(watch.signal)));
    isOpen = true;
    const limits = parseLimits(headers);
    if (limits) yield { type: 'limits', limits };
    yield* removeThinking(joinSurrogates(eventsOf(answer, watch.iterate(pieces))));
    // The SDKs end an aborted stream without an error.
    watch.signal.throwIfAborted();
    yield* usageEvents(answer);
    const end = answer.end();
    if (!end) {
      yield { type: 'uncounted' };
      throw providerError(provider, { message: 'the stream ended early' });
    }
    yield { ...end, parts: partsWithoutThinking(end.parts) };
  } catch (error) {
    yield* usageEvents(answer);
    // An abort may have an error of ours as its reason.
    const isStopped = watch.signal.aborted;
    if (error instanceof AlfredError && !isStopped) throw error;
    const failure = parseFailure(error);
    const isAnswered = failure?.status !== undefined || failure?.type !== undefined;
    // The provider charges what it has read and written, unless it answers with an error.
    if ((isOpen || sending.hasLeft()) && (isStopped || !isAnswered)) yield { type: 'uncounted' };
    if (signal.aborted) throw error;
    if (watch.isSilent()) throw silenceError(provider, idleMs, error);
    throw providerError(provider, failure ?? { message: 'the stream broke off' }, error);
  } finally {
    watch.release();
  }
}

async function* eventsOf<Piece>(answer: AnswerBuilder<Piece>, pieces: AsyncIterable<Piece>): AsyncIterable<ModelEvent> {
  for await (const piece of pieces) yield* answer.add(piece);
}

/** Some servers split a character between two pieces: a high surrogate at the end waits for the next text. */
async function* joinSurrogates(events: AsyncIterable<ModelEvent>): AsyncIterable<ModelEvent> {
  let pending = '';
  for await (const event of events) {
    if (event.type !== 'text') {
      yield event;
      continue;
    }
    const text = pending + event.text;
    pending = /[\uD800-\uDBFF]$/.exec(text)?.[0] ?? '';
    if (text.length > pending.length) yield { type: 'text', text: text.slice(0, text.length - pending.length) };
  }
}

function* usageEvents<Piece>(answer: AnswerBuilder<Piece>): Iterable<ModelEvent> {
  const usage = answer.usage();
  if (usage) yield { type: 'usage', usage };
}

/** The error of a provider that sent nothing for longer than `idleMs`. */
export const silenceError = (provider: string, idleMs: number, cause: unknown) =>
  new AlfredError('model_unavailable', `${provider} was silent for ${idleMs / 1_000} s, so its answer was given up.`, {
    cause,
  });
