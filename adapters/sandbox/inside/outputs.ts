export type OutputLimits = {
  printedCharacters: number;
  nameCharacters: number;
  resultCharacters: number;
  filesCharacters: number;
  files: number;
  charts: number;
};

/** A file or a chart, and the one that was made before it. The texts are JSON, of which nothing is lost. */
export type Made = { readonly name: string; readonly text: string; readonly before: Made | undefined };

/**
 * Makes what a program writes with, and what the host reads its end with. Evaluated inside the sandbox by its source:
 * it uses nothing outside of itself.
 *
 * What was made is kept in variables and in own fields of new objects. Setting a field of an array, as `push` does too,
 * calls a setter that a program has put on a prototype, and hands it the array.
 *
 * @returns `host`: a program cannot reach these functions. It can change what they find on prototypes; the host checks
 *   what they return.
 */
export function makeOutputs(limits: OutputLimits) {
  const { parse, stringify } = JSON;
  const text = String;
  const texts = String.prototype as unknown as { slice: (from: number, to: number) => string };
  const cut = Function.prototype.call.bind(texts.slice) as (text: string, from: number, to: number) => string;
  let printed = '';
  let hasPrinted = false;
  let files: Made | undefined;
  let charts: Made | undefined;
  let fileCount = 0;
  let chartCount = 0;
  let filesLength = 0;

  /** Values that JSON has no form for, as what a reader takes them for. */
  const plain = (_key: string, value: unknown): unknown => {
    if (typeof value === 'bigint') return text(value);
    if (typeof value === 'number' && !Number.isFinite(value)) return text(value);
    if (typeof value === 'function') return '[function]';
    if (value instanceof Map) return Object.fromEntries(value);
    if (value instanceof Set) return [...value];
    if (value instanceof Error) return text(value);
    return value;
  };
  const show = (value: unknown): string =>
    typeof value === 'string' ? value : (stringify(value, plain) ?? text(value));

  const print = (...values: unknown[]) => {
    // One character more than is shown: the host says that the rest was left out.
    const room = limits.printedCharacters + 1 - printed.length;
    if (room <= 0) return;
    const line = text(values.map(show).join(' '));
    printed += cut(hasPrinted ? `\n${line}` : line, 0, room);
    hasPrinted = true;
  };

  const makeRoom = (what: string, length: number) => {
    filesLength += length;
    if (filesLength > limits.filesCharacters)
      throw new RangeError(`${what}: files and charts may have ${limits.filesCharacters} characters together`);
  };
  const file = (name: unknown, content: unknown) => {
    if (typeof name !== 'string' || !/\.(csv|txt|md|json)$/i.test(name))
      throw new TypeError('file(name, text): the name must end with .csv, .txt, .md or .json');
    if (typeof content !== 'string') throw new TypeError('file(name, text): text must be a string');
    if (name.length > limits.nameCharacters)
      throw new RangeError(`file(name, text): name may have ${limits.nameCharacters} characters`);
    if (fileCount >= limits.files) throw new RangeError(`file: a program may make ${limits.files} files`);
    const made = { name: stringify(name), text: stringify(content), before: files };
    makeRoom('file', made.text.length);
    fileCount++;
    files = made;
  };
  const chart = (spec: unknown) => {
    const json = stringify(spec, plain) as string | undefined;
    if (json === undefined) throw new TypeError('chart(spec): spec must be an object');
    if (chartCount >= limits.charts) throw new RangeError(`chart: a program may make ${limits.charts} charts`);
    makeRoom('chart', json.length);
    chartCount++;
    charts = { name: '', text: json, before: charts };
  };

  const host = {
    setInputs(json: string) {
      (globalThis as Record<string, unknown>)['inputs'] = parse(json);
    },
    /** @returns the result as JSON @throws when it has none, or is too long */
    resultOf(value: unknown): string {
      if (value instanceof Promise)
        throw new TypeError('The result is a Promise: nothing asynchronous runs here. Leave out async and await');
      const json = (stringify(value, plain) as string | undefined) ?? 'null';
      if (json.length <= limits.resultCharacters) return json;
      const most = limits.resultCharacters;
      throw new RangeError(
        `The result has ${json.length} characters as JSON, and may have ${most}. Return less, or write a file`,
      );
    },
    printed: () => stringify(printed),
    /** The last one. */
    charts: () => charts,
    /** The last one. */
    files: () => files,
    /** What is wrong, with its line, as JSON. */
    describe(error: unknown): string {
      if (error === null || typeof error !== 'object') return stringify(`The program threw ${show(error)}.`);
      const { name, message, stack } = error as { name?: unknown; message?: unknown; stack?: unknown };
      const line = typeof stack === 'string' ? /program\.js:(\d+)/.exec(stack)?.[1] : undefined;
      const where = line === undefined ? '' : ` (line ${line})`;
      const kind = cut(text(name ?? 'Error'), 0, limits.nameCharacters);
      return stringify(`${kind}: ${cut(text(message ?? ''), 0, 1_000)}${where}`);
    },
  };
  return { host, show, helpers: { print, console: { log: print }, file, chart } };
}
