import { AlfredError } from '../../contract/errors.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import { costOf } from '../../contract/rules/price.ts';
import { noUsage, totalTokens, type Usage } from '../../contract/references.ts';
import { estimateTokens } from '../../contract/rules/token-estimate.ts';
import type { ModelEvent, ModelFacts, ProviderLimits, StopReason } from '../../contract/ports/index.ts';

/** What the call was expected to use, in tokens. */
type Reserved = { estimatedTokens: number; maxOutputTokens: number };

/** The pace at which a model that shows nothing may have written, in tokens a second: that of a fast hosted model. */
const silentTokensPerS = 100;

/** Fewer bytes a token than in English text: the text may be Chinese or JSON. */
const bytesPerToken = 3;

/** One attempt at a model call while it runs: the received response, its cost and its duration. */
export class RunningCall {
  text = '';
  limits: ProviderLimits | undefined;
  private usage: Omit<Usage, 'costUsd'> = noUsage;
  private ended: { parts: AssistantPart[]; stopReason: StopReason } | undefined;
  private readonly startedAt = performance.now();
  private firstTokenMs: number | null = null;
  /** The request was sent, and the provider has not counted all that it may charge. */
  private isUncounted = false;
  private readonly facts: ModelFacts;
  private readonly reserved: Reserved;

  constructor(facts: ModelFacts, reserved: Reserved) {
    this.facts = facts;
    this.reserved = reserved;
  }

  take(event: ModelEvent) {
    if (event.type === 'usage') this.usage = event.usage;
    else if (event.type === 'uncounted') this.isUncounted = true;
    else if (event.type === 'limits') this.limits = event.limits;
    else if (event.type === 'end') this.ended = event;
    else {
      this.firstTokenMs ??= Math.round(performance.now() - this.startedAt);
      this.text += event.text;
    }
  }

  /** Whether the response ended at its output limit. */
  wasCut() {
    return this.ended?.stopReason === 'max_tokens';
  }

  /** The text of a response that ended at its output limit; empty if there is none, or it was complete. */
  cutText(): AssistantPart[] {
    if (!this.ended || !this.wasCut() || !this.text.trim()) return [];
    return this.ended.parts.filter(({ type }) => type === 'text');
  }

  /**
   * The complete response.
   *
   * @param options `mayBeCut`: a text that ended at the output limit is used as it is
   * @throws AlfredError when there is none, or it cannot be used
   */
  response({ mayBeCut }: { mayBeCut: boolean }) {
    if (!this.ended) throw new AlfredError('model_unavailable', 'The model’s answer broke off.');
    const { stopReason } = this.ended;
    if (stopReason === 'refusal') throw new AlfredError('model_refused');
    const isUsable = mayBeCut && this.text.trim() !== '';
    if (stopReason === 'max_tokens' && !isUsable) throw new AlfredError('model_output_limit');
    const hasContent = this.text.trim() !== '' || this.ended.parts.some(({ type }) => type === 'tool_call');
    if (!hasContent) throw new AlfredError('model_unavailable', 'The model gave an empty answer.');
    return this.ended;
  }

  record() {
    const usage = this.ended ? this.usage : this.usageSoFar();
    return {
      usage: { ...usage, costUsd: costOf(this.facts.price, usage) },
      durationMs: this.elapsedMs(),
      firstTokenMs: this.firstTokenMs,
    };
  }

  private elapsedMs() {
    return Math.round(performance.now() - this.startedAt);
  }

  /**
   * The provider reports its count at the end. A response that broke off is charged by the received text, and by what
   * the model may have written unseen: a model that reasons sends nothing for minutes, and the provider charges that.
   */
  private usageSoFar(): Omit<Usage, 'costUsd'> {
    const { estimatedTokens, maxOutputTokens } = this.reserved;
    const counted = Math.max(this.usage.outputTokens, estimateTokens(this.text.length));
    if (!this.isUncounted) return { ...this.usage, outputTokens: counted };
    const shown = Math.max(counted, Math.ceil(Buffer.byteLength(this.text) / bytesPerToken));
    const silentMs = this.firstTokenMs ?? this.elapsedMs();
    const unseen = Math.ceil((silentMs / 1_000) * silentTokensPerS);
    const isInputCounted = totalTokens({ ...this.usage, outputTokens: 0, costUsd: 0 }) > 0;
    return {
      ...this.usage,
      ...(isInputCounted ? {} : { inputTokens: estimatedTokens }),
      outputTokens: Math.max(shown, Math.min(maxOutputTokens, shown + unseen)),
    };
  }
}
