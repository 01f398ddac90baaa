import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, test } from '@jest/globals';
import { createSandbox } from '../../../adapters/sandbox/sandbox.ts';
import type { JsonValue } from '../../../contract/json.ts';

// A second is a long time for what never ends.
const sandbox = createSandbox({ timeMs: 1_000 });
const { signal } = new AbortController();
const run = (code: string, inputs?: JsonValue) => sandbox.run({ code, inputs }, signal);

/** The result of a program that works. */
async function resultOf(code: string, inputs?: JsonValue): Promise<JsonValue> {
  const outcome = await run(code, inputs);
  if ('error' in outcome) throw new Error(outcome.error);
  return outcome.result;
}
/** What is wrong with a program that fails. */
async function errorOf(code: string): Promise<string> {
  const outcome = await run(code);
  if ('error' in outcome) return outcome.error;
  throw new Error(`it worked: ${JSON.stringify(outcome.result)}`);
}
async function filesOf(code: string) {
  const outcome = await run(code);
  if ('error' in outcome) throw new Error(outcome.error);
  return outcome.artifacts.map(({ name, mediaType, bytes }) => ({
    name,
    mediaType,
    text: Buffer.from(bytes).toString(),
  }));
}

describe('a program', () => {
  test('gives the value of its last expression, or what it returns', async () => {
    expect(await resultOf('const half = inputs.total / 2; half', { total: 42 })).toBe(21);
    expect(await resultOf('return inputs.map((n) => n * n)', [1, 2, 3])).toEqual([1, 4, 9]);
    expect(await resultOf('let a = 1')).toBeNull();
    expect(await resultOf('')).toBeNull();
  });

  test('has exact decimals, statistics and tables', async () => {
    expect(await resultOf(`new Decimal('0.1').plus('0.2')`)).toBe('0.3');
    expect(await resultOf(`new Decimal('1').div(3).toDecimalPlaces(4).toString()`)).toBe('0.3333');
    expect(
      await resultOf('[stats.mean([1, 2, 6]), stats.median([1, 2, 6]), stats.quantile([1, 2, 3, 4], 0.5)]'),
    ).toEqual([3, 2, 2.5]);
    const table = 'name,sum\n"Ann ""A"", Ltd",1.50\n\nBen,2\n';
    expect(await resultOf('csv.parse(inputs)', table)).toEqual([
      { name: 'Ann "A", Ltd', sum: '1.50' },
      { name: 'Ben', sum: '2' },
    ]);
    expect(await resultOf('csv.format(csv.parse(inputs))', table)).toBe(table.replace('\n\n', '\n'));
    expect(await resultOf('csv.format([[1, null], ["x;y", "a\\nb"]])')).toBe('1,\nx;y,"a\nb"\n');
  });

  test('gives what JSON has no form for as what a reader takes it for', async () => {
    const code =
      '({ n: NaN, i: -Infinity, big: 10n ** 20n, map: new Map([["a", 1]]), set: new Set([1]), d: new Date(0) })';
    expect(await resultOf(code)).toEqual({
      n: 'NaN',
      i: '-Infinity',
      big: '100000000000000000000',
      map: { a: 1 },
      set: [1],
      d: '1970-01-01T00:00:00.000Z',
    });
  });

  test('has the same outcome each time: no clock, no time zone, the same random numbers', async () => {
    const code = `[Math.random(), Math.random(), new Date('2026-03-29T02:30').toISOString(), new Date(2026, 0, 31).getHours(),
      new Date('2026-01-31').getTimezoneOffset(), String(new Date(0))]`;
    const [first, second] = await Promise.all([resultOf(code), resultOf(code)]);
    expect(first).toEqual(second);
    expect((first as JsonValue[]).slice(2)).toEqual(['2026-03-29T02:30:00.000Z', 0, 0, '1970-01-01T00:00:00.000Z']);
    for (const clock of [
      'Date.now()',
      'new Date()',
      'Date.prototype.constructor.now()',
      'new (new Date(0).constructor)()',
    ])
      expect(await errorOf(clock)).toContain('There is no clock here. Pass the date in inputs');
  });

  test('prints beside its result, also before it fails', async () => {
    expect((await run(`print('a', { b: 1 }); console.log(2); 3`)).printed).toBe('a {"b":1}\n2');
    expect(await run(`print('so far'); null.x`)).toEqual({
      printed: 'so far',
      error: "TypeError: cannot read property 'x' of null (line 1)",
    });
    const { printed } = await run(`for (let i = 0; i < 1e5; i++) print('a line')`);
    expect(printed.length).toBeLessThan(40_000);
    expect(printed).toContain('(the rest was left out)');
  });

  test('makes files', async () => {
    const odd = `'\\u0000"ü\\ud800'`;
    expect(await filesOf(`file('con .csv', ${odd}); 1`)).toMatchObject([{ name: '_con .csv', text: '\u0000"ü\ufffd' }]);
    expect(await filesOf(`file('a.csv', 'x,y\\n'); file('notes.MD', '# ü'); 1`)).toEqual([
      { name: 'a.csv', mediaType: 'text/csv', text: 'x,y\n' },
      { name: 'notes.MD', mediaType: 'text/markdown', text: '# ü' },
    ]);
    expect(await errorOf(`file('run.sh', 'x')`)).toContain('must end with .csv, .txt, .md or .json');
    expect(await errorOf(`file('a.csv', 1)`)).toContain('text must be a string');
    expect(await errorOf(`for (let i = 0; i < 11; i++) file('a.csv', 'x')`)).toContain('may make 10 files');
    expect(await errorOf(`file('a.csv', 'x'.repeat(5_000_001))`)).toContain('may have 5000000 characters together');
  });
});

describe('a program that is wrong', () => {
  test.each([
    ['x y', 'SyntaxError', '(line 1)'],
    ['const a = 1;\n\nmissing(a)', "'missing' is not defined", '(line 3)'],
    ["throw new RangeError('the sums differ')", 'RangeError: the sums differ', '(line 1)'],
    ["throw 'plain text'", 'The program threw plain text'],
    ['await fetch("https://example.com")', 'SyntaxError'],
    ['fetch("https://example.com")', "'fetch' is not defined"],
    ['Promise.resolve(1)', 'nothing asynchronous runs here'],
    ["'x'.repeat(200_000)", 'The result has 200002 characters as JSON, and may have 100000'],
    ['const a = {}; a.a = a; a', 'circular'],
  ])('%j reads what to mend', async (code, ...parts) => {
    const error = await errorOf(code);
    for (const part of parts) expect(error).toContain(part);
  });
});

describe('a hostile program', () => {
  test('reaches nothing of the process', async () => {
    const names = [
      'process',
      'require',
      'fetch',
      'WebAssembly',
      'setTimeout',
      'globalThis.process',
      'module',
      'Buffer',
    ];
    const code = `[${names.map((name) => `typeof ${name}`).join(', ')},
      this.constructor.constructor('return typeof process')(),
      (() => {}).constructor('return typeof require')(),
      Object.getPrototypeOf(async () => {}).constructor.name,
      typeof print.constructor('return this')().process, Object.keys(globalThis).join()]`;
    expect(await resultOf(code)).toEqual([
      ...names.map(() => 'undefined'),
      'undefined',
      'undefined',
      'AsyncFunction',
      'undefined',
      'Decimal,stats,print,console,file,chart,csv,inputs',
    ]);
    expect(await errorOf("import('node:fs')").catch(() => 'a promise that nothing answers')).toContain('Promise');
    expect(await errorOf("import fs from 'node:fs'")).toContain('SyntaxError');
  });

  test('changes no prototype outside of it, nor what the next program gets', async () => {
    const pollution = `Object.prototype.polluted = 1; Array.prototype.map = () => 'mine'; JSON.stringify = () => 'mine';
      String.prototype.slice = () => 'mine'; Decimal.prototype.plus = () => 'mine'; globalThis.kept = 1;
      JSON.parse('{"__proto__": {"polluted": 2}}')`;
    const outcome = await run(pollution);
    expect(outcome).not.toHaveProperty('error');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(
      await resultOf('[typeof kept, ({}).polluted === undefined, [1].map((n) => n), new Decimal(1).plus(1)]'),
    ).toEqual(['undefined', true, [1], '2']);
    expect(await resultOf(`JSON.stringify = () => 'x'.repeat(1e7); ({ a: 1 })`)).toEqual({ a: 1 });
    expect(await errorOf(`Object.prototype.toJSON = () => 'x'.repeat(1e6); [1]`)).toContain('may have 100000');
  });

  test.each([
    ['a loop that catches', 'while (true) try { while (true) {} } catch {}'],
    ['a loop in the value', '({ get a() { while (true) {} } })'],
    ['a loop in the error', 'throw { get message() { while (true) {} } }'],
    ['a loop in toJSON', '({ toJSON() { while (true) {} } })'],
    ['a slow pattern', `/(a+)+$/.test('a'.repeat(50) + '!')`],
  ])(
    'that does not end is stopped: %s',
    async (_name, code) => {
      expect(await errorOf(code)).toMatch(/took longer than 1 s and was stopped/);
    },
    40_000,
  );

  test('that the interpreter cannot stop is ended with its process', async () => {
    const short = createSandbox({ wholeMs: 2_000 });
    const outcome = await short.run({ code: '[].sort.call({ length: 1e9 })' }, signal);
    expect(outcome).toEqual({ printed: '', error: expect.stringContaining('took longer than 2 s and was stopped') });
    expect(await short.run({ code: '1' }, signal)).toMatchObject({ result: 1 });
  }, 40_000);

  test.each([
    ['an endless text', `let s = 'x'; for (;;) s += s`],
    ['a text of a gigabyte', `'a'.repeat(2 ** 30 - 1)`],
    ['many texts', `const a = []; while (true) a.push('x'.repeat(1e6) + a.length)`],
    ['a long array', 'new Array(1e9).fill(0)'],
    ['a buffer', 'new Uint8Array(1e9)'],
  ])(
    'that takes too much memory is stopped: %s',
    async (_name, code) => {
      const before = process.memoryUsage().rss;
      expect(await errorOf(code)).toMatch(/more than 64 MB of memory|too long|invalid|took longer/);
      expect(process.memoryUsage().rss - before).toBeLessThan(400_000_000);
    },
    40_000,
  );

  test.each([
    ['a function', 'const f = () => f(); f()'],
    ['a getter', 'const o = { get a() { return this.a } }; o.a'],
    ['a deep value', 'let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; o'],
    ['deep brackets', `eval('('.repeat(1e5))`],
    ['deep JSON', `JSON.parse('['.repeat(1e6))`],
  ])(
    'that nests too deeply is stopped: %s',
    async (_name, code) => {
      expect(await errorOf(code)).toMatch(/Error|too deeply|took longer/);
    },
    40_000,
  );

  test('gets no hold of what it has made, and passes no limit', async () => {
    const steal = `let stolen; Object.defineProperty(Array.prototype, 0, { configurable: true, set(v) { stolen = this } });`;
    const swap = `delete Array.prototype[0]; if (stolen) stolen[0] = '[' + '[],'.repeat(6.5e6) + '[]]';`;
    expect(await errorOf(`${steal} chart({}); ${swap} 1`)).toContain('Chart 1 does not fit. type: Invalid');
    expect(await filesOf(`${steal} file('a.csv', 'x'); ${swap} 1`)).toMatchObject([{ name: 'a.csv', text: 'x' }]);
    const accessors = `for (const field of ['name', 'text', 'before', 'get', 'set', 'value', 'toJSON'])
      Object.defineProperty(Object.prototype, field, { __proto__: null, get() { throw new Error('read') }, set() { throw new Error('set') } });`;
    expect(await filesOf(`${accessors} file('a.csv', 'x'); file('b.csv', 'y'); 1`)).toMatchObject([
      { name: 'a.csv', text: 'x' },
      { name: 'b.csv', text: 'y' },
    ]);
    const endless = `String.prototype.slice = () => 'x'.repeat(1e6); Array.prototype.join = () => 'x'.repeat(1e6);`;
    expect((await run(`${endless} print('a'); 1`)).printed.length).toBeLessThan(20_100);
    expect(
      (await errorOf(`${endless} const e = new Error('m'.repeat(1e6)); e.name = 'n'.repeat(1e6); throw e`)).length,
    ).toBeLessThan(2_010);
    expect(await errorOf(`file('x'.repeat(1e6) + '.csv', 'x')`)).toContain('name may have 150 characters');
  });

  test('that changes how values become JSON reads what to mend', async () => {
    const chart = `chart({ type: 'bar', labels: ['a'], series: [{ values: [1] }] }); file('a.csv', 'x');`;
    expect(await errorOf(`Array.prototype.toJSON = () => '['; ${chart} 1`)).toContain('Chart 1 does not fit');
    expect(
      await filesOf(`file('a.csv', 'x'); Array.prototype.toJSON = Object.prototype.toJSON = () => '['; 1`),
    ).toMatchObject([{ name: 'a.csv', text: 'x' }]);
  });

  test('that leaves no memory to read its files has an error, and not fewer files', async () => {
    const fill = `const all = []; for (let size = 1e6; size > 8;) try { all.push(new Uint8Array(size)) } catch { size = size >> 1 }`;
    expect(await errorOf(`for (let i = 0; i < 9; i++) file('a.csv', 'ü'.repeat(5e5)); ${fill}; 1`)).toMatch(
      /cannot be read|memory/,
    );
  });

  test('whose process dies is an error of the program, and the next one runs', async () => {
    const small = createSandbox({ heapMb: 6 });
    expect(await small.run({ code: '1' }, signal)).toEqual({
      printed: '',
      error: 'The program needed too much memory, and was stopped. Do less in one program.',
    });
    expect(await resultOf('1')).toBe(1);
  });

  test('fifty at once all end, and the event loop goes on', async () => {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const programs = Array.from({ length: 50 }, (_, n) => run(`inputs * 2`, n));
    const results = await Promise.all(programs);
    delay.disable();
    expect(results.map((outcome) => 'result' in outcome && outcome.result)).toEqual(
      Array.from({ length: 50 }, (_, n) => n * 2),
    );
    expect(delay.percentile(50) / 1e6).toBeLessThan(200);
  }, 120_000);

  test('a call that is not wanted any more ends at once, also one that waits', async () => {
    const one = createSandbox({ processes: 1 });
    const abort = new AbortController();
    const both = [one.run({ code: 'while (true) {}' }, abort.signal), one.run({ code: '1' }, abort.signal)].map(
      (call) => call.catch((error: Error) => error.message),
    );
    abort.abort(new Error('not wanted'));
    expect(await Promise.all(both)).toEqual(['not wanted', 'not wanted']);
    expect(await one.run({ code: '2' }, signal)).toMatchObject({ result: 2 });
  });

  test('tenants take turns: many programs of one delay another by a turn', async () => {
    const one = createSandbox({ processes: 1 });
    const order: string[] = [];
    await Promise.all(
      ['a', 'a', 'a', 'a', 'b'].map(async (tenant) => {
        await one.run({ code: '1', tenant }, signal);
        order.push(tenant);
      }),
    );
    expect(order).toEqual(['a', 'a', 'b', 'a', 'a']);
  });
});
