/** Exit codes of the command. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, cancelled: 130 } as const;

/** Something went wrong that a person can act on: the message says what, with what, and what to do. No stack is shown. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly exitCode: number;

  constructor(message: string, { exitCode = exitCodes.failed, cause }: { exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

export const usageError = (message: string) => new CliError(message, { exitCode: exitCodes.usage });
