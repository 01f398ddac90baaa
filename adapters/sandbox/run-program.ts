import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import releaseSync from '@jitl/quickjs-wasmfile-release-sync';
import {
  newVariant,
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSSyncVariant,
} from 'quickjs-emscripten-core';
import { limits } from './limits.ts';
import { makeCsv } from './inside/csv.ts';
import { fixClock } from './inside/fixed-clock.ts';
import { makeOutputs } from './inside/outputs.ts';
import type { ProgramJob } from './program-answer.ts';

/** What a program has left behind, as JSON texts and plain texts: no value of the sandbox leaves it in another form. */
export type ProgramEnd = { printed: string } & ({ error: string } | { result: string; charts: string; files: string });

/** What reading the end of a program may take, in milliseconds. A program can make its own values slow to read. */
const readingMs = 1_000;

/** TypeScript has its type in the library of browsers only. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { Memory: new (pages: { initial: number; maximum: number }) => never };
};
/** The types of the package are those of its CommonJS build, and Node loads the other one. */
const interpreter = releaseSync as unknown as QuickJSSyncVariant;

/** Of WebAssembly. */
const pageBytes = 65_536;
/** What the interpreter is built to begin with. */
const initialPages = 256;

const require = createRequire(import.meta.url);

/** The CommonJS module of a library as an expression, whose value is what it exports. */
const moduleOf = (path: string): string =>
  `((module) => { ((exports) => { ${readFileSync(path, 'utf8')}\n})(module.exports); return module.exports; })({ exports: {} })`;

/** Makes the helpers of programs. Its value is what the host calls. */
const prelude = `(() => {
  const outputs = (${makeOutputs.toString()})(${JSON.stringify(limits)});
  (${fixClock.toString()})();
  const csv = (${makeCsv.toString()})(outputs.show);
  Object.assign(globalThis, { Decimal: ${moduleOf(require.resolve('decimal.js'))}, stats: ${moduleOf(require.resolve('simple-statistics'))}, ...outputs.helpers, csv });
  return outputs.host;
})()`;

/** Evaluates a program in a WebAssembly interpreter that has nothing of this process. */
export async function runProgram({ code, inputs, timeMs }: ProgramJob): Promise<ProgramEnd> {
  // Its memory does not grow beyond this, also where the interpreter counts less than it takes.
  const wasmMemory = new WebAssembly.Memory({ initial: initialPages, maximum: (limits.memoryBytes / pageBytes) * 2 });
  const quickJs = await newQuickJSWASMModuleFromVariant(newVariant(interpreter, { wasmMemory }));
  const runtime = quickJs.newRuntime();
  runtime.setMemoryLimit(limits.memoryBytes);
  runtime.setMaxStackSize(limits.stackBytes);
  // Nothing is disposed: the thread ends after one program, and disposing asserts about what a broken program left.
  const sandbox = openSandbox(runtime, timeMs);
  sandbox.call('setInputs', sandbox.string(inputs));
  const value = sandbox.evaluate(code);
  limitTime(runtime, readingMs);
  const printed = sandbox.read('printed') ?? '';
  if ('error' in value) return { printed, error: sandbox.describe(value.error) };
  const result = sandbox.call('resultOf', value.value);
  if ('error' in result) return { printed, error: sandbox.describe(result.error) };
  return {
    printed: sandbox.read('printed') ?? '',
    result: sandbox.textOf(result.value),
    charts: sandbox.read('charts') ?? '[]',
    files: sandbox.read('files') ?? '[]',
  };
}

function limitTime(runtime: QuickJSRuntime, ms: number): void {
  const endsAt = performance.now() + ms;
  runtime.setInterruptHandler(() => performance.now() > endsAt);
}

type Value = { value: QuickJSHandle } | { error: QuickJSHandle };

/** A context with the libraries and the helpers of programs. */
function openSandbox(runtime: QuickJSRuntime, timeMs: number) {
  const context = runtime.newContext();
  const host = context.unwrapResult(context.evalCode(prelude));
  const functions = Object.fromEntries(
    ['setInputs', 'resultOf', 'printed', 'charts', 'files', 'describe'].map((name) => [
      name,
      context.getProp(host, name),
    ]),
  );
  const call = (name: string, ...values: QuickJSHandle[]): Value => {
    const called = context.callFunction(functions[name]!, context.undefined, ...values);
    return called.error ? { error: called.error } : { value: called.value };
  };
  const textOf = (value: QuickJSHandle) => (context.typeof(value) === 'string' ? context.getString(value) : '');
  return {
    call,
    textOf,
    string: (text: string) => context.newString(text),
    /** Calls a helper that gives a text. */
    read(name: string): string | undefined {
      const called = call(name);
      return 'value' in called ? textOf(called.value) : undefined;
    },
    evaluate(code: string): Value {
      limitTime(runtime, timeMs);
      return evaluate(context, code);
    },
    describe(error: QuickJSHandle): string {
      const described = call('describe', error);
      return sentenceOf('value' in described ? textOf(described.value) : '', timeMs);
    },
  };
}

/** A program is a script, whose value is its last expression, or the body of a function, which returns its value. */
function evaluate(context: QuickJSContext, code: string): Value {
  const asScript = context.evalCode(code, 'program.js', { type: 'global' });
  if (!asScript.error) return { value: asScript.value };
  const { name, message } = errorOf(context, asScript.error);
  if (name !== 'SyntaxError' || !/\breturn\b/.test(message)) return { error: asScript.error };
  const asBody = context.evalCode(`(function () {${code}\n})()`, 'program.js', { type: 'global' });
  return asBody.error ? { error: asBody.error } : { value: asBody.value };
}

function errorOf(context: QuickJSContext, error: QuickJSHandle): { name: string; message: string } {
  const textOf = (field: string) => {
    const value = context.getProp(error, field);
    return context.typeof(value) === 'string' ? context.getString(value).slice(0, 1_000) : '';
  };
  return { name: textOf('name'), message: textOf('message') };
}

/** What the interpreter says about its limits, in words that say what to do. */
function sentenceOf(described: string, timeMs: number): string {
  if (/^InternalError: interrupted/.test(described) || described === '')
    return `The program took longer than ${timeMs / 1_000} s and was stopped. Do less in one program.`;
  if (/^InternalError: out of memory|^The program threw null/.test(described))
    return `The program needs more than ${limits.memoryBytes / 1024 / 1024} MB of memory. Do less in one program.`;
  if (/stack overflow|Maximum call stack/.test(described))
    return `${described}. The program calls itself too deeply: use a loop.`;
  return described;
}
