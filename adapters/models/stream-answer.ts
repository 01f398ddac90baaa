import { AlfredError } from '../../contract/errors.ts';
import type { ModelEvent, ProviderLimits } from '../../contract/ports/index.ts';
import { watchSilence } from './idle.ts';
import { providerError, type ProviderFailure } from '../outbound/provider-errors.ts';
import type { TokenCounts } from './token-estimate.ts';

/** One response while it streams in, in a provider's own pieces. */
export interface Answer<Piece> {
  /** @returns what a piece says at once */
  take(piece: Piece): Iterable<ModelEvent>;
  /** Tokens so far, estimated where the provider has not counted; undefined while nothing has come. */
  usage(): TokenCounts | undefined;
  /**
   * The whole response, or undefined when the provider has not ended it.
   * @throws AlfredError when it ended in a way that leaves no response
   */
  end(): (ModelEvent & { type: 'end' }) | undefined;
}

type Source<Piece> = {
  provider: string;
  /** Longest silence, in milliseconds. */
  idleMs: number;
  open: (signal: AbortSignal) => Promise<{ pieces: AsyncIterable<Piece>; headers: Headers }>;
  limits: (headers: Headers) => ProviderLimits | undefined;
  /** What the SDK's error says, or undefined when it is not one that the provider sent. */
  failure: (error: unknown) => ProviderFailure | undefined;
};

/**
 * What every HTTP provider does alike: limits first, then the pieces, then the tokens and the end. A stream that falls
 * silent, breaks off or ends early is `model_unavailable`, with the tokens of what came told before.
 */
export async function* streamAnswer<Piece>(
  { provider, idleMs, open, limits, failure }: Source<Piece>,
  answer: Answer<Piece>,
  signal: AbortSignal,
): AsyncIterable<ModelEvent> {
  const watch = watchSilence(signal, idleMs);
  try {
    const { pieces, headers } = await watch.wait(open(watch.signal));
    const said = limits(headers);
    if (said) yield { type: 'limits', limits: said };
    let half = '';
    for await (const piece of watch.over(pieces)) {
      for (const event of answer.take(piece)) {
        if (event.type !== 'text') {
          yield event;
          continue;
        }
        // Some servers cut a character in two; its first half waits for the other.
        const text = half + event.text;
        half = /[\uD800-\uDBFF]$/.exec(text)?.[0] ?? '';
        if (text.length > half.length) yield { type: 'text', text: text.slice(0, text.length - half.length) };
      }
    }
    // The SDKs end an aborted stream like one that is over.
    watch.signal.throwIfAborted();
    yield* spent(answer);
    const end = answer.end();
    if (!end) throw providerError(provider, { message: 'the stream ended early' });
    yield end;
  } catch (error) {
    yield* spent(answer);
    if (signal.aborted || error instanceof AlfredError) throw error;
    if (watch.isSilent()) throw silent(provider, idleMs, error);
    throw providerError(provider, failure(error) ?? { message: 'the stream broke off' }, error);
  } finally {
    watch.release();
  }
}

function* spent<Piece>(answer: Answer<Piece>): Iterable<ModelEvent> {
  const usage = answer.usage();
  if (usage) yield { type: 'usage', usage };
}

/** A provider that was silent for longer than it may be. */
export const silent = (provider: string, idleMs: number, cause: unknown) =>
  new AlfredError('model_unavailable', `${provider} was silent for ${idleMs / 1_000} s, so its answer was given up.`, {
    cause,
  });
