export type OutputLimits = {
  printedCharacters: number;
  resultCharacters: number;
  filesCharacters: number;
  files: number;
  charts: number;
};

/**
 * Makes what a program writes with, and what the host reads its end with. Evaluated inside the sandbox by its source:
 * it uses nothing outside of itself.
 *
 * @returns `host`: a program cannot reach these functions. It can change what they find on prototypes; the host checks
 *   what they return.
 */
export function makeOutputs(limits: OutputLimits) {
  const { parse, stringify } = JSON;
  const text = String;
  const printed: string[] = [];
  const charts: string[] = [];
  const files: { name: string; text: string }[] = [];
  let printedLength = 0;
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
    const line = values.map(show).join(' ');
    const room = limits.printedCharacters - printedLength;
    if (room <= 0) return;
    printedLength += line.length + 1;
    printed[printed.length] = line.length > room ? `${line.slice(0, room)} … (the rest was left out)` : line;
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
    if (files.length >= limits.files) throw new RangeError(`file: a program may make ${limits.files} files`);
    makeRoom('file', content.length);
    files[files.length] = { name, text: content };
  };
  const chart = (spec: unknown) => {
    const json = stringify(spec, plain) as string | undefined;
    if (json === undefined) throw new TypeError('chart(spec): spec must be an object');
    if (charts.length >= limits.charts) throw new RangeError(`chart: a program may make ${limits.charts} charts`);
    makeRoom('chart', json.length);
    charts[charts.length] = json;
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
    printed: () => printed.join('\n'),
    charts: () => stringify(charts),
    files: () => stringify(files),
    /** What is wrong, with its line. */
    describe(error: unknown): string {
      if (error === null || typeof error !== 'object') return `The program threw ${show(error)}.`;
      const { name, message, stack } = error as { name?: unknown; message?: unknown; stack?: unknown };
      const line = typeof stack === 'string' ? /program\.js:(\d+)/.exec(stack)?.[1] : undefined;
      const where = line === undefined ? '' : ` (line ${line})`;
      return `${text(name ?? 'Error')}: ${text(message ?? '').slice(0, 1_000)}${where}`;
    },
  };
  return { host, show, helpers: { print, console: { log: print }, file, chart } };
}
