import { AlfredError } from '../../contract/errors.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import { costOf } from '../../contract/rules/price.ts';
import { noUsage, type Usage } from '../../contract/references.ts';
import type { ModelEvent, ModelFacts, ProviderLimits, StopReason } from '../../contract/ports/index.ts';

/** One attempt at a model call while it runs: what came, what it cost, how long it took. */
export class RunningCall {
  text = '';
  limits: ProviderLimits | undefined;
  private usage: Omit<Usage, 'costUsd'> = noUsage;
  private ended: { parts: AssistantPart[]; stopReason: StopReason } | undefined;
  private readonly begun = performance.now();
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
      this.firstTokenMs ??= Math.round(performance.now() - this.begun);
      this.text += event.text;
    }
  }

  /** Whether the answer ended at its output limit. */
  wasCut() {
    return this.ended?.stopReason === 'max_tokens';
  }

  /** The whole response, or the reason why there is none to use. */
  response() {
    if (!this.ended) throw new AlfredError('model_unavailable', 'The model’s answer broke off.');
    const { stopReason } = this.ended;
    if (stopReason === 'refusal') throw new AlfredError('model_refused');
    if (stopReason === 'max_tokens') throw new AlfredError('model_output_limit');
    const says = this.text.trim() !== '' || this.ended.parts.some(({ type }) => type === 'tool_call');
    if (!says) throw new AlfredError('model_unavailable', 'The model gave an empty answer.');
    return this.ended;
  }

  record() {
    // A provider says what it counted when it ends; what broke off is charged by the text that came.
    const outputTokens = this.ended ? this.usage.outputTokens : Math.max(this.usage.outputTokens, estimate(this.text));
    const usage = { ...this.usage, outputTokens };
    return {
      usage: { ...usage, costUsd: costOf(this.facts.price, usage) },
      durationMs: Math.round(performance.now() - this.begun),
      firstTokenMs: this.firstTokenMs,
    };
  }
}

/** Tokens of a text, four characters each. */
const estimate = (text: string) => Math.ceil(text.length / 4);
