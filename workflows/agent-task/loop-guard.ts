import { ApplicationFailure } from '@temporalio/workflow';
import { defaultMessageOf, type ErrorCode } from '../../contract/errors.ts';
import type { CorrectionReason, ToolCallRef, ToolMisuse, ToolResultRef } from '../../contract/references.ts';

/** Calls that are remembered; a loop is shorter than this. */
const remembered = 24;

export type GuardState = { told: CorrectionReason[]; misused: Record<string, ToolMisuse>; seen: string[] };

const codes = {
  tool_as_text: 'model_tool_as_text',
  output_invalid: 'model_output_invalid',
  // An answer that has it twice is taken, with its false numbers struck out.
  citation_unknown: 'model_output_invalid',
  unknown_tool: 'model_unknown_tool',
  invalid_arguments: 'model_invalid_arguments',
} as const satisfies Record<CorrectionReason | ToolMisuse, ErrorCode>;

/**
 * Cuts the loops that models fall into: whatever a model gets wrong it is told once, and the same again ends the task
 * with a clear code.
 */
export class LoopGuard {
  private told: CorrectionReason[];
  private misused: Record<string, ToolMisuse>;
  private seen: string[];

  constructor({ told, misused, seen }: GuardState = { told: [], misused: {}, seen: [] }) {
    this.told = [...told];
    this.misused = { ...misused };
    this.seen = [...seen];
  }

  get state(): GuardState {
    return { told: this.told, misused: this.misused, seen: this.seen };
  }

  /** The model was told what is wrong with its answer. */
  corrected(because: CorrectionReason) {
    if (this.told.includes(because)) throw stopped(codes[because]);
    this.told.push(because);
  }

  /** @returns the results as the model shall get them: a call that it made before, with the same result, says so */
  judge(calls: ToolCallRef[], results: ToolResultRef[]): ToolResultRef[] {
    this.told = [];
    const before = this.seen;
    const judged = results.map((result, i): ToolResultRef => {
      const { tool, misuse } = result;
      if (misuse && this.misused[tool] === misuse) throw stopped(codes[misuse], tool);
      if (misuse) this.misused[tool] = misuse;
      else delete this.misused[tool];
      const key = keyOf(calls[i], result);
      if (key === undefined) return result;
      const times = before.filter((seen) => seen === key).length;
      if (times > 1) throw stopped('model_loop', tool);
      if (!this.seen.slice(before.length).includes(key)) this.seen = [...this.seen, key];
      return times === 1 ? { ...result, repeated: true } : result;
    });
    this.seen = this.seen.slice(-remembered);
    return judged;
  }
}

const keyOf = (call: ToolCallRef | undefined, { tool, result }: ToolResultRef) =>
  call?.args === undefined ? undefined : `${tool} ${call.args} ${result.slice(0, 12)}`;

const stopped = (code: ErrorCode, tool?: string) =>
  ApplicationFailure.nonRetryable(tool === undefined ? defaultMessageOf(code) : `${defaultMessageOf(code)} (${tool})`, code);
