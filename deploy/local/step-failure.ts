/**
 * A step of the start that cannot go on, told for the person at the terminal: printed without a stack trace.
 *
 * @param message what failed, with what
 * @param todo    what the person can do about it, one line each
 */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly todo: readonly string[];

  constructor(message: string, todo: readonly string[] = []) {
    super(message);
    this.todo = todo;
  }
}
