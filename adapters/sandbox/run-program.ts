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

/** What a program has left behind. `result` and `charts`: JSON. No value leaves the interpreter but texts. */
export type ProgramEnd = { printed: string } & (
  { error: string } | { result: string; charts: string[]; files: { name: string; text: string }[] }
);

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

/** A WebAssembly interpreter that has nothing of this process, with the libraries and the helpers of programs. */
export async function openSandbox() {
  // Its memory does not grow beyond this, also where the interpreter counts less than it takes.
  const wasmMemory = new WebAssembly.Memory({ initial: initialPages, maximum: (limits.memoryBytes / pageBytes) * 2 });
  const quickJs = await newQuickJSWASMModuleFromVariant(newVariant(interpreter, { wasmMemory }));
  const runtime = quickJs.newRuntime();
  runtime.setMemoryLimit(limits.memoryBytes);
  runtime.setMaxStackSize(limits.stackBytes);
  // Nothing is disposed: the process ends after one program, and disposing asserts about what a broken program left.
  return createSandbox(runtime);
}
type Sandbox = Awaited<ReturnType<typeof openSandbox>>;

/** Evaluates a program. Any failure from here on is an error of the program. */
export function runProgram(sandbox: Sandbox, job: ProgramJob): ProgramEnd {
  let printed = '';
  try {
    sandbox.setInputs(job.inputs);
    const value = sandbox.evaluate(job);
    sandbox.limitTime(readingMs);
    const readPrinted = () => cut(sandbox.readText('printed'), limits.printedCharacters, leftOut);
    if ('error' in value) {
      const error = sandbox.describe(value.error, job.timeMs);
      return { printed: (printed = readPrinted()), error };
    }
    const result = sandbox.call('resultOf', value.value);
    printed = readPrinted();
    if ('error' in result) return { printed, error: sandbox.describe(result.error, job.timeMs) };
    return { printed, result: sandbox.jsonOf(result.value, limits.resultCharacters), ...readMade(sandbox) };
  } catch (error) {
    return { printed, error: faultOf(error) };
  }
}

/** A program has left what cannot be read. */
class Unreadable extends Error {}

const leftOut = ' … (the rest was left out)';
const cut = (text: string, most: number, end = '…') =>
  text.length > most ? `${text.slice(0, most).toWellFormed()}${end}` : text;

function faultOf(error: unknown): string {
  if (error instanceof RangeError) return 'The program calls itself too deeply: use a loop.';
  if (error instanceof Unreadable)
    return 'What the program made cannot be read. Make less, and leave built-in objects as they are.';
  return `The program broke the interpreter (${cut(String(error), limits.nameCharacters)}). Write it in another way.`;
}

/** The files and charts. How many there are and how long is checked before any of them is parsed. */
function readMade(sandbox: Sandbox) {
  let room: number = limits.filesCharacters;
  const jsonOf = (handle: QuickJSHandle) => {
    const json = sandbox.jsonOf(handle, room);
    room -= json.length;
    return json;
  };
  const readAll = (name: 'files' | 'charts') => {
    const made: { name: string; text: string }[] = [];
    for (const { name: ofName, text } of sandbox.eachMade(name)) {
      if (made.length >= limits[name]) throw new Unreadable();
      made.unshift({ name: name === 'files' ? jsonOf(ofName) : '', text: jsonOf(text) });
    }
    return made;
  };
  const files = readAll('files');
  const charts = readAll('charts').map(({ text }) => text);
  return { charts, files: files.map(({ name, text }) => ({ name: textFrom(name), text: textFrom(text) })) };
}

/** @throws Unreadable when it is no text in JSON */
function textFrom(json: string): string {
  const text: unknown = JSON.parse(json);
  if (typeof text !== 'string') throw new Unreadable();
  return text;
}

function limitTime(runtime: QuickJSRuntime, ms: number): void {
  const endsAt = performance.now() + ms;
  runtime.setInterruptHandler(() => performance.now() > endsAt);
}

type Value = { value: QuickJSHandle } | { error: QuickJSHandle };

function createSandbox(runtime: QuickJSRuntime) {
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
  const read = (name: string, ...values: QuickJSHandle[]): QuickJSHandle => {
    const called = call(name, ...values);
    if ('error' in called) throw new Unreadable();
    return called.value;
  };
  /** The interpreter gives an empty text when it has no memory for it; no JSON is empty. */
  const jsonOf = (value: QuickJSHandle, most: number): string => {
    const json = context.typeof(value) === 'string' ? context.getString(value) : '';
    if (json === '' || json.length > most) throw new Unreadable();
    return json;
  };
  /** A character takes six in JSON at most. */
  const readText = (name: string, ...values: QuickJSHandle[]): string =>
    textFrom(jsonOf(read(name, ...values), 6 * (limits.printedCharacters + 2)));
  return {
    call,
    jsonOf,
    readText,
    limitTime: (ms: number) => limitTime(runtime, ms),
    setInputs: (inputs: string) => read('setInputs', context.newString(inputs)),
    /** From the last one to the first. They have own fields only, so that reading them runs nothing of a program. */
    *eachMade(name: 'files' | 'charts') {
      for (let made = read(name); context.typeof(made) === 'object'; made = context.getProp(made, 'before'))
        yield { name: context.getProp(made, 'name'), text: context.getProp(made, 'text') };
    },
    evaluate({ code, timeMs }: ProgramJob): Value {
      limitTime(runtime, timeMs);
      return evaluate(context, code);
    },
    describe(error: QuickJSHandle, timeMs: number): string {
      return cut(
        sentenceOf(
          orEmpty(() => readText('describe', error)),
          timeMs,
        ),
        limits.errorCharacters,
      );
    },
  };
}

/** What a text would be, or nothing when it cannot be read. */
function orEmpty(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (error instanceof Unreadable) return '';
    throw error;
  }
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
