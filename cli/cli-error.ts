/** Exit codes of `alfred`. `timedOut`: the command stopped waiting, as the program timeout(1) would. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, timedOut: 124, cancelled: 130 } as const;

/** An error that a person can act on. Its message says what was wrong, with what, and what to do. No stack is shown. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly exitCode: number;

  constructor(message: string, { exitCode = exitCodes.failed, cause }: { exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

/** The command line, a variable or an input file is wrong. */
export const usageError = (message: string) => new CliError(message, { exitCode: exitCodes.usage });
