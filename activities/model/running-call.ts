import { AlfredError } from '../../contract/errors.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import { costOf } from '../../contract/rules/price.ts';
import { noUsage, type Usage } from '../../contract/references.ts';
import { estimateTokens } from '../../contract/rules/token-estimate.ts';
import type { ModelEvent, ModelFacts, ProviderLimits, StopReason } from '../../contract/ports/index.ts';

/** One attempt at a model call while it runs: the received response, its cost and its duration. */
export class RunningCall {
  text = '';
  limits: ProviderLimits | undefined;
  private usage: Omit<Usage, 'costUsd'> = noUsage;
  private ended: { parts: AssistantPart[]; stopReason: StopReason } | undefined;
  private readonly startedAt = performance.now();
  private firstTokenMs: number | null = null;
  private readonly facts: ModelFacts;

  constructor(facts: ModelFacts) {
    this.facts = facts;
  }

  take(event: ModelEvent) {
    if (event.type === 'usage') this.usage = event.usage;
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

  /** The complete response. @throws AlfredError when there is none, or it cannot be used */
  response() {
    if (!this.ended) throw new AlfredError('model_unavailable', 'The model’s answer broke off.');
    const { stopReason } = this.ended;
    if (stopReason === 'refusal') throw new AlfredError('model_refused');
    if (stopReason === 'max_tokens') throw new AlfredError('model_output_limit');
    const hasContent = this.text.trim() !== '' || this.ended.parts.some(({ type }) => type === 'tool_call');
    if (!hasContent) throw new AlfredError('model_unavailable', 'The model gave an empty answer.');
    return this.ended;
  }

  record() {
    // The provider reports its count at the end. A response that broke off is charged by the received text.
    const outputTokens = this.ended
      ? this.usage.outputTokens
      : Math.max(this.usage.outputTokens, estimateTokens(this.text.length));
    const usage = { ...this.usage, outputTokens };
    return {
      usage: { ...usage, costUsd: costOf(this.facts.price, usage) },
      durationMs: Math.round(performance.now() - this.startedAt),
      firstTokenMs: this.firstTokenMs,
    };
  }
}
