/**
 * Runs in the sandbox of workflows before their code. It keeps the SDK from recording a stack trace for every promise
 * that a workflow makes, which took a quarter of the workflow thread’s time in a profile: 180 replays of recorded tasks
 * cost 3.9 s of CPU with it and 5.7 s without. The traces served one thing, the call stack on Temporal's page of a
 * running workflow; its details say what a task waits for. Errors keep their stack traces.
 *
 * The SDK has no option for this. Its hook (`workflow/vm-shared`) finds a workflow by code that it gives to
 * `promise.constructor.constructor`, which is `Function`, and makes an `Error` in the same way. Here the workflow is
 * found without compiling code, and that `Error` has no trace. Other code is compiled as usual if it has no parameters;
 * nothing in the bundle was found to compile any in this way.
 */
export const sandboxPrelude = [
  '(() => {',
  'class NoTrace {}',
  'const known = new Map([',
  "['return globalThis.__TEMPORAL_ACTIVATOR__', () => globalThis.__TEMPORAL_ACTIVATOR__],",
  "['return globalThis.Error', () => NoTrace],",
  ']);',
  "Object.defineProperty(Promise, 'constructor', { value: (code) => known.get(code) ?? Function(code) });",
  '})();',
  // On one line with the bundle's first line, so that the lines of its source map stay right.
].join(' ');
