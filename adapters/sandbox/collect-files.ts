import { z } from 'zod';
import { ChartSpec } from './chart-spec.ts';
import type { MadeFile } from './program-answer.ts';

const MadeTexts = z.array(z.object({ name: z.string(), text: z.string() }));
const MadeCharts = z.array(z.string());

const mediaTypes: Record<string, string> = {
  csv: 'text/csv',
  txt: 'text/plain',
  md: 'text/markdown',
  json: 'application/json',
};

/** What a program has made cannot be used; the message says why. */
export class WrongOutput extends Error {}

/** The files of a program: its texts, and an SVG for each of its charts. */
export async function collectFiles({ charts, files }: { charts: string; files: string }): Promise<MadeFile[]> {
  const made: MadeFile[] = read(MadeTexts, files).map(({ name, text }) => ({
    name,
    mediaType: mediaTypes[name.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'text/plain',
    bytes: new TextEncoder().encode(text),
  }));
  const specs = read(MadeCharts, charts).map((json): unknown => JSON.parse(json));
  if (specs.length === 0) return made;
  // The library is large, and few programs draw.
  const { renderChart } = await import('./render-chart.ts');
  for (const [index, given] of specs.entries()) {
    const spec = ChartSpec.safeParse(given);
    if (!spec.success) throw new WrongOutput(faultOf(index, spec.error));
    const name = spec.data.name ?? (specs.length === 1 ? 'chart' : `chart-${index + 1}`);
    const bytes = new TextEncoder().encode(renderChart(spec.data));
    made.push({ name: `${name.replace(/\.svg$/i, '')}.svg`, mediaType: 'image/svg+xml', bytes });
  }
  return made;
}

/** @throws WrongOutput when the program has replaced what writes JSON */
function read<T>(schema: z.ZodType<T>, json: string): T {
  const made = schema.safeParse(JSON.parse(json));
  if (made.success) return made.data;
  throw new WrongOutput(
    'The program has changed built-in objects, so its files cannot be read. Leave those as they are.',
  );
}

function faultOf(index: number, { issues }: z.ZodError): string {
  const faults = issues.slice(0, 5).map(({ path, message }) => `${path.join('.') || 'chart'}: ${message}`);
  return `Chart ${index + 1} does not fit. ${faults.join('. ')}.`;
}
