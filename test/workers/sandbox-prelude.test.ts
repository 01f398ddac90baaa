import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createContext, runInContext } from 'node:vm';
import { beforeEach, expect, test } from '@jest/globals';
import { sandboxPrelude } from '../../workers/sandbox-prelude.ts';

const require = createRequire(import.meta.url);
/** Where the SDK's promise hook looks a workflow and its `Error` up. */
const codes = ['return globalThis.__TEMPORAL_ACTIVATOR__', 'return globalThis.Error'];

let sandbox: object;
const run = (code: string): unknown => runInContext(code, sandbox);
beforeEach(() => {
  sandbox = createContext({});
  run(sandboxPrelude);
});

test('the SDK’s promise hook finds its workflow and gets no stack trace', async () => {
  const hook = await readFile(require.resolve('@temporalio/worker/lib/workflow/vm-shared.js'), 'utf8');
  for (const code of codes) expect(hook).toContain(`('${code}')()`);
  run('globalThis.__TEMPORAL_ACTIVATOR__ = { info: { runId: "the-run" } }; class Later extends Promise {}');
  for (const promise of ['(async () => {})()', 'Later.resolve()']) {
    const [activator, error] = codes.map((code) => `${promise}.constructor.constructor('${code}')()`);
    expect(run(`${activator}.info.runId`)).toBe('the-run');
    expect(run(`new (${error})().stack`)).toBeUndefined();
  }
});

test('errors of workflow code keep their stack traces, and other code is compiled as usual', () => {
  expect(run('(function failing() { return new Error("x").stack; })()')).toContain('at failing');
  expect(run("Promise.resolve().constructor.constructor('return 6 * 7')()")).toBe(42);
});
