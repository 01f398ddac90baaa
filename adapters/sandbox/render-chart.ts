import { init, use, type EChartsCoreOption } from 'echarts/core';
import { BarChart, LineChart, PieChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { SVGRenderer } from 'echarts/renderers';
import type { ChartSpec } from './chart-spec.ts';

use([BarChart, LineChart, PieChart, ScatterChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

const size = { width: 900, height: 540 };
/** More points than this are drawn without a mark each. */
const mostMarks = 60;

/** What no picture of ours holds. Texts are escaped: none of them makes an element. */
const activeContent =
  /<\s*\/?\s*(script|foreignObject|iframe|image|a|animate|set|use)\b|<[^>]*\s(on\w+|href|xlink:href)\s*=/i;

/** Draws a chart as SVG. The same specification gives the same text. */
export function renderChart(spec: ChartSpec): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    chart.setOption(optionOf(spec));
    const svg = chart.renderToSVGString();
    if (activeContent.test(svg)) throw new Error('the picture of a chart holds active content');
    return svg;
  } finally {
    chart.dispose();
  }
}

function optionOf(spec: ChartSpec): EChartsCoreOption {
  const names = namesOf(spec);
  return {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'sans-serif' },
    ...(spec.title === undefined ? {} : { title: { text: spec.title, left: 'center', top: 12 } }),
    ...(names.length > 1 || spec.type === 'pie'
      ? { legend: { data: names, bottom: 8, type: 'plain', formatter: (name: string) => name } }
      : {}),
    ...(spec.type === 'pie' ? {} : axesOf(spec)),
    series: seriesOf(spec),
  };
}

/** Each name once: a legend tells series by their names. */
function namesOf(spec: ChartSpec): string[] {
  const given = spec.type === 'pie' ? spec.labels : spec.series.map(({ name }, at) => name ?? `${at + 1}`);
  const seen = new Map<string, number>();
  return given.map((name) => {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name} (${times})`;
  });
}

function axesOf(spec: Exclude<ChartSpec, { type: 'pie' }>): EChartsCoreOption {
  const label = (name: string | undefined, nameGap: number) =>
    name === undefined ? {} : { name, nameLocation: 'middle' as const, nameGap };
  const x =
    spec.type === 'scatter'
      ? { type: 'value' as const, scale: true }
      : { type: 'category' as const, data: spec.labels, boundaryGap: spec.type === 'bar' };
  return {
    grid: { left: 80, right: 40, top: 70, bottom: 100 },
    xAxis: { ...x, ...label(spec.xLabel, 36) },
    yAxis: { type: 'value', scale: spec.type === 'scatter', ...label(spec.yLabel, 58) },
  };
}

function seriesOf(spec: ChartSpec) {
  const names = namesOf(spec);
  if (spec.type === 'pie')
    return [{ type: 'pie', radius: '60%', data: spec.values.map((value, at) => ({ name: names[at], value })) }];
  if (spec.type === 'scatter')
    return spec.series.map(({ points }, at) => ({ type: 'scatter', name: names[at], data: points }));
  return spec.series.map(({ values }, at) => ({
    type: spec.type,
    name: names[at],
    data: values,
    ...(spec.stacked ? { stack: 'all' } : {}),
    ...(spec.type === 'line' ? { showSymbol: values.length <= mostMarks } : {}),
  }));
}
