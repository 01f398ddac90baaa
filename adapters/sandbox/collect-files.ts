import type { z } from 'zod';
import { artifactName } from '../../contract/rules/artifact-name.ts';
import { harmlessCsv } from '../../contract/rules/csv-text.ts';
import { ChartSpec, pointsOf } from './chart-spec.ts';
import { limits } from './limits.ts';
import type { MadeFile } from './program-answer.ts';

const mediaTypes = new Map([
  ['csv', 'text/csv'],
  ['txt', 'text/plain'],
  ['md', 'text/markdown'],
  ['json', 'application/json'],
]);

/** What a program has made cannot be used; the message says why. */
export class WrongOutput extends Error {}

/**
 * The files of a program: its texts, and an SVG for each of its charts.
 *
 * @param made.charts as JSON
 * @throws WrongOutput
 */
export async function collectFiles(made: {
  charts: readonly string[];
  files: readonly { name: string; text: string }[];
}): Promise<MadeFile[]> {
  const files: MadeFile[] = made.files.map(({ name, text }) => {
    const mediaType = mediaTypes.get(name.split('.').at(-1)?.toLowerCase() ?? '') ?? 'text/plain';
    return {
      name: artifactName(name),
      mediaType,
      bytes: new TextEncoder().encode(mediaType === 'text/csv' ? harmlessCsv(text) : text),
    };
  });
  if (made.charts.length === 0) return files;
  // The library is large, and few programs draw.
  const { renderChart } = await import('./render-chart.ts');
  try {
    return [...files, ...drawCharts(made.charts.map(readChart), renderChart)];
  } catch (error) {
    if (error instanceof WrongOutput) throw error;
    throw new WrongOutput(`The charts cannot be drawn: ${(error as Error).message.slice(0, limits.nameCharacters)}.`);
  }
}

function drawCharts(specs: ChartSpec[], renderChart: (spec: ChartSpec) => string): MadeFile[] {
  const points = specs.reduce((sum, spec) => sum + pointsOf(spec), 0);
  if (points > limits.points)
    throw new WrongOutput(
      `All charts together have ${points} points, and may have ${limits.points}: draw fewer, like sums or means.`,
    );
  let drawnBytes = 0;
  return specs.map((spec, index) => {
    const bytes = new TextEncoder().encode(renderChart(spec));
    drawnBytes += bytes.byteLength;
    if (drawnBytes > limits.pictureBytes)
      throw new WrongOutput(`The charts have more than ${limits.pictureBytes / 1e6} MB as pictures: draw less.`);
    const name = spec.name ?? (specs.length === 1 ? 'chart' : `chart-${index + 1}`);
    return { name: artifactName(`${name.replace(/\.svg$/i, '')}.svg`), mediaType: 'image/svg+xml', bytes };
  });
}

function readChart(json: string, index: number): ChartSpec {
  const spec = ChartSpec.safeParse(JSON.parse(json));
  if (spec.success) return spec.data;
  throw new WrongOutput(faultOf(index, spec.error));
}

function faultOf(index: number, { issues }: z.ZodError): string {
  const faults = issues.slice(0, 5).map(({ path, message }) => `${path.join('.') || 'chart'}: ${message}`);
  return `Chart ${index + 1} does not fit. ${faults.join('. ')}.`.slice(0, limits.errorCharacters);
}
