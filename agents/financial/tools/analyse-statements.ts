import type { Sandbox } from '../../../contract/ports/index.ts';
import { drawCharts } from '../../tools/draw-charts.ts';
import { typedTool } from '../../tools/typed-tool.ts';
import { analyse } from '../analysis/analyse.ts';
import { analysisCharts, analysisFiles, shortAnalysisData } from '../analysis/analysis-data.ts';
import { renderAnalysis } from '../analysis/render.ts';
import { AnalysisInput } from '../intents.ts';
import { readSources, type SourcePorts } from './read-sources.ts';

const description = `Analyses statements of a company: income statement, balance sheet and cash flow, by months, quarters or years, from CSV, JSON or documents (CSV, XLSX, JSON).
It returns ratios (liquidity, leverage, margins, returns, turnover), trends, cash runway and anomalies. Every figure has its formula and the cells that it comes from, and what could not be computed has the line that is missing. \`data\` has the last periods; its \`leftOut\` says how much else analysis.json has. Lines with unknown names are listed and not used.
The person gets tables and charts as files: name them. Amounts that can be read in two ways are refused: ask the person and give \`decimalMark\`, \`dateOrder\` or \`scale\`.`;

/** A file of 100,000 rows is read in seconds, and charts wait for a sandbox. */
const timeoutMs = 240_000;

/** Analyses statements: no figure of the answer comes from a model. */
export const analyseStatementsTool = (ports: SourcePorts & { sandbox: Sandbox }) =>
  typedTool({
    name: 'analyse_statements',
    description,
    answers: true,
    input: AnalysisInput,
    timeoutMs,
    async run({ statements, charts, ...options }, { scope, signal }) {
      const tables = await readSources(ports, statements, { scope, signal });
      const analysis = await analyse(tables, { ...options, limits: given(options.limits) }, signal);
      const drawn = charts ? await drawCharts(ports.sandbox, analysisCharts(analysis), signal) : { artifacts: [] };
      if ('fault' in drawn && drawn.fault !== undefined)
        analysis.statements.notes.push(`The charts could not be drawn: ${drawn.fault}`);
      const artifacts = [...analysisFiles(analysis), ...drawn.artifacts];
      const { measured, anomalies } = analysis;
      return {
        output: {
          answer: renderAnalysis(
            analysis,
            artifacts.map(({ name }) => name),
          ),
          data: shortAnalysisData(analysis),
        },
        summary: `${measured.length} ratios, ${anomalies.length} anomalies`,
        artifacts,
      };
    },
  });

/** Without the fields that a request leaves out. */
export const given = <T extends object>(limits: T | undefined): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(limits ?? {}).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
