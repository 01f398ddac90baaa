/**
 * A failure that the person at the terminal can fix. It is printed without a stack trace.
 *
 * @param message what failed, and why
 * @param todo    what the person can do, one line for each option
 */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly todo: readonly string[];

  constructor(message: string, todo: readonly string[] = []) {
    super(message);
    this.todo = todo;
  }
}
