import { setTimeout as sleep } from 'node:timers/promises';
import { estimateTokens } from './token-estimate.ts';

/** How fast a provider without a model answers; 0 is as fast as it can. */
export type Pace = { firstTokenMs: number; tokensPerS: number };

/** A text word by word at a pace, or whole where there is none. */
export async function* paced(text: string, { tokensPerS }: Pace, signal: AbortSignal): AsyncIterable<string> {
  for (const piece of tokensPerS > 0 ? (text.match(/\S+\s*|\s+/g) ?? []) : [text]) {
    if (tokensPerS > 0) await sleep((1_000 * estimateTokens(piece.length)) / tokensPerS, undefined, { signal });
    if (piece) yield piece;
  }
}

/** The wait before an answer begins. */
export async function beforeFirstToken({ firstTokenMs }: Pace, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (firstTokenMs > 0) await sleep(firstTokenMs, undefined, { signal });
}
