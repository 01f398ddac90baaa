import { describe, expect, test } from '@jest/globals';
import { ChartSpec } from '../../../adapters/sandbox/chart-spec.ts';
import { createSandbox } from '../../../adapters/sandbox/sandbox.ts';

const sandbox = createSandbox();
const run = (code: string) => sandbox.run({ code }, new AbortController().signal);

async function filesOf(code: string) {
  const outcome = await run(code);
  if ('error' in outcome) throw new Error(outcome.error);
  return outcome.artifacts.map(({ name, mediaType, bytes }) => ({
    name,
    mediaType,
    text: Buffer.from(bytes).toString(),
  }));
}
async function errorOf(code: string): Promise<string> {
  const outcome = await run(code);
  if ('error' in outcome) return outcome.error;
  throw new Error(`it worked: ${JSON.stringify(outcome.result)}`);
}

describe('a chart', () => {
  const bar = `{ type: 'bar', title: 'Sales', labels: ['Q1', 'Q2'], xLabel: 'Quarter', yLabel: 'EUR',
    series: [{ name: 'North', values: [1, new Decimal('2.5')] }, { name: 'South', values: [-3, null] }] }`;

  test.each([
    ['bar', bar],
    ['line', bar.replace("'bar'", "'line'")],
    ['stacked', bar.replace("'bar'", "'bar', stacked: true")],
    ['pie', `{ type: 'pie', title: 'Sales', labels: ['North', 'South'], values: [1, '2.5'] }`],
    [
      'scatter',
      `{ type: 'scatter', title: 'Sales', series: [{ name: 'North', points: [[1, 2], ['3', 4]] }, { name: 'South', points: [[0, 0]] }] }`,
    ],
  ])('becomes a picture with its words: %s', async (_type, spec) => {
    const [file, ...others] = await filesOf(`chart(${spec}); 'drawn'`);
    expect(others).toEqual([]);
    expect(file).toMatchObject({ name: 'chart.svg', mediaType: 'image/svg+xml' });
    expect(file?.text).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"[^]*<\/svg>\s*$/);
    for (const word of ['Sales', 'North', 'South']) expect(file?.text).toContain(`>${word}</text>`);
  });

  test('is the same picture each time', async () => {
    const [first, second] = await Promise.all([filesOf(`chart(${bar})`), filesOf(`chart(${bar})`)]);
    expect(first).toEqual(second);
  });

  test('has its own name, and several have numbers', async () => {
    const names = (await filesOf(`chart(${bar}); chart({ ...${bar}, name: 'sales' }); file('a.txt', 'x')`)).map(
      ({ name }) => name,
    );
    expect(names).toEqual(['a.txt', 'chart-1.svg', 'sales.svg']);
  });

  test('shows words that look like code as words', async () => {
    const evil = `'</text><script>alert(1)</script><image href="x" onerror="alert(1)"/>{a|b} ]]> & \\u0000\\u202e\\ud800'`;
    const [pie, line] = await filesOf(`const evil = ${evil};
      chart({ type: 'pie', title: evil, labels: [evil, 'b'], values: [1, 2] });
      chart({ type: 'line', title: evil, labels: [evil, evil], xLabel: evil, yLabel: evil, series: [{ name: evil, values: [1, 2] }] })`);
    for (const { text } of [pie!, line!]) {
      expect(text).not.toMatch(/<(script|image|foreignObject|a|iframe)\b/i);
      expect(text).not.toMatch(/<[^>]*\s(on\w+|href)=/i);
      expect(text).not.toMatch(/(?![\n\r\t])[\p{Cc}\p{Cf}]/u);
      expect(text.isWellFormed()).toBe(true);
      expect(text).toContain('&lt;script&gt;');
    }
  });

  test('that does not fit reads what to mend, and where', async () => {
    const series = [{ values: [1, 'much'] }];
    expect(await errorOf(`chart({ type: 'bar', labels: ['a', 'b'], series: ${JSON.stringify(series)} })`)).toBe(
      'Chart 1 does not fit. series.0.values.1: expected a number.',
    );
    expect(await errorOf('chart(undefined)')).toContain('spec must be an object');
    const scatter = `chart({ type: 'scatter', series: Array(2).fill({ points: Array(900).fill([1, 2]) }) });`;
    expect(await errorOf(scatter.repeat(3))).toContain('All charts together have 5400 points, and may have 5000');
  });

  test.each<[object, string]>([
    [{ type: 'donut' }, "Expected 'line' | 'bar' | 'pie' | 'scatter'"],
    [{ type: 'bar', labels: ['a'], series: [{ values: [1, 2] }] }, '1 labels and 2 values'],
    [{ type: 'bar', labels: ['a'], series: [{ values: ['NaN'] }] }, 'expected a number'],
    [{ type: 'bar', labels: ['a'], series: [{ values: ['1e999'] }] }, 'expected a finite number'],
    [{ type: 'bar', labels: [], series: [] }, 'Too small'],
    [{ type: 'pie', labels: ['a'], values: [-1] }, 'no negative values'],
    [{ type: 'pie', labels: ['a', 'b'], values: [1] }, '2 labels and 1 values'],
    [{ type: 'bar', labels: ['a'], series: [{ values: [1] }], color: 'url(x)' }, 'color'],
    [{ type: 'line', title: 'x'.repeat(201), labels: ['a'], series: [{ values: [1] }] }, 'Too big'],
  ])('%j is refused', (spec, part) => {
    expect(ChartSpec.safeParse(spec).error?.message).toContain(part);
  });
});
