import { setTimeout as sleep } from 'node:timers/promises';
import { estimateTokens } from '../../contract/rules/token-estimate.ts';

/** Simulated speed of a provider without a model. 0 means no delay. */
export type SimulatedLatency = { firstTokenMs: number; tokensPerS: number };

/** Waits as long as a model takes to its first token. */
export async function waitForFirstToken({ firstTokenMs }: SimulatedLatency, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (firstTokenMs > 0) await sleep(firstTokenMs, undefined, { signal });
}

/** Streams a text word by word at the simulated speed, or as one piece without a delay. */
export async function* streamWords(
  text: string,
  { tokensPerS }: SimulatedLatency,
  signal: AbortSignal,
): AsyncIterable<string> {
  for (const piece of tokensPerS > 0 ? (text.match(/\S+\s*|\s+/g) ?? []) : [text]) {
    if (tokensPerS > 0) await sleep((1_000 * estimateTokens(piece.length)) / tokensPerS, undefined, { signal });
    if (piece) yield piece;
  }
}
