import { ApplicationFailure, patched } from '@temporalio/workflow';
import { defaultMessageOf, type ErrorCode } from '../../contract/errors.ts';
import type { CorrectionReason, ToolCallRef, ToolMisuse, ToolResultRef } from '../../contract/references.ts';

/** How many past calls are compared; a loop is shorter than this. */
const rememberedCalls = 24;

/** Stands in the arguments of continue-as-new, and so in recorded histories: field names are fixed. */
export type GuardState = { told: CorrectionReason[]; misused: Record<string, ToolMisuse>; seen: string[] };

const codes = {
  tool_as_text: 'model_tool_as_text',
  output_invalid: 'model_output_invalid',
  // Never thrown: a second answer with unknown citations is accepted, with those citations replaced.
  citation_unknown: 'model_output_invalid',
  unknown_tool: 'model_unknown_tool',
  invalid_arguments: 'model_invalid_arguments',
} as const satisfies Record<CorrectionReason | ToolMisuse, ErrorCode>;

/**
 * Ends loops that models fall into. The model gets one correction for each kind of mistake; the same mistake again ends
 * the task with a clear code.
 */
export class LoopGuard {
  /** Corrections since the last tool call. */
  private corrections: CorrectionReason[];
  /** The last misuse of each tool. */
  private misused: Record<string, ToolMisuse>;
  /** Keys of the newest calls with their results. */
  private seen: string[];

  constructor(state?: GuardState) {
    this.corrections = [...(state?.told ?? [])];
    this.misused = { ...state?.misused };
    this.seen = [...(state?.seen ?? [])];
  }

  get state(): GuardState {
    return { told: this.corrections, misused: this.misused, seen: this.seen };
  }

  /** Notes that the model's answer was sent back for this reason. @throws when it is the second time */
  recordCorrection(reason: CorrectionReason) {
    if (this.corrections.includes(reason)) throw loopFailure(codes[reason]);
    this.corrections.push(reason);
  }

  /**
   * Checks a step's results for loops.
   *
   * @returns the results for the model; a call that it made before with the same result is marked `repeated`
   * @throws when a tool is misused the same way in two steps in a row, or a call had the same result twice before
   */
  checkResults(calls: ToolCallRef[], results: ToolResultRef[]): ToolResultRef[] {
    this.corrections = [];
    const before = this.seen;
    const misusedBefore = { ...this.misused };
    const checked = results.map((result, i): ToolResultRef => {
      const { tool, misuse } = result;
      // Two wrong calls of one step are one mistake: the model has not read yet what was wrong.
      const isRepeated = misuse !== undefined && this.misused[tool] === misuse;
      if (isRepeated && (misusedBefore[tool] === misuse || !patched('mistakes-of-a-step-count-once')))
        throw loopFailure(codes[misuse], tool);
      if (misuse) this.misused[tool] = misuse;
      else delete this.misused[tool];
      const key = keyOf(calls[i], result);
      if (key === undefined) return result;
      const times = before.filter((seen) => seen === key).length;
      if (times > 1) throw loopFailure('model_loop', tool);
      if (!this.seen.slice(before.length).includes(key)) this.seen = [...this.seen, key];
      return times === 1 ? { ...result, repeated: true } : result;
    });
    this.seen = this.seen.slice(-rememberedCalls);
    return checked;
  }
}

const keyOf = (call: ToolCallRef | undefined, { tool, result }: ToolResultRef) =>
  call?.args === undefined ? undefined : `${tool} ${call.args} ${result.slice(0, 12)}`;

const loopFailure = (code: ErrorCode, tool?: string) =>
  ApplicationFailure.nonRetryable(
    tool === undefined ? defaultMessageOf(code) : `${defaultMessageOf(code)} (${tool})`,
    code,
  );
