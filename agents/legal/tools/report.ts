import type { NewArtifact } from '../../../contract/artifacts.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { ToolOutcome } from '../../../contract/ports/index.ts';
import { sealResult, showQuotation, withoutQuotes, type Quotation } from '../text/quotation.ts';
import { passageOf, type Source } from './source.ts';

/** Longest list of findings in an answer, in characters. */
const maxList = 6_000;
/** Longest data of a result, as JSON in characters. The file that comes with it has everything. */
const maxData = 20_000;
/** Most passages that one result cites. */
const maxPassages = 25;

/** Numbers quotations of a stored document as citations: [1], [2]. A text that is not stored has no number. */
export function createCitations({ document }: Source) {
  const passages: ReturnType<typeof passageOf>[] = [];
  return {
    passages,
    /** A quotation for people, with its place and its number. */
    cite: (clause: Quotation & { section?: string }): string => {
      const place = `${clause.section === undefined ? '' : `${withoutQuotes(clause.section)}, `}characters ${clause.start}–${clause.end}`;
      if (!document) return `${showQuotation(clause)} (${place})`;
      const passage = passageOf(document, clause);
      let at = passages.findIndex(({ chunkId }) => chunkId === passage.chunkId);
      if (at === -1 && passages.length < maxPassages) at = passages.push(passage) - 1;
      return `${showQuotation(clause)}${at === -1 ? '' : ` [${at + 1}]`} (${place})`;
    },
  };
}

/** The lines that fit, whole, and how many were left out. */
export function fitLines(lines: readonly string[], file: string, most = maxList): string {
  let length = 0;
  const kept = lines.filter((line) => {
    length += line.length + 1;
    return length <= most;
  });
  const left = lines.length - kept.length;
  return [...kept, ...(left > 0 ? [`- … and ${left} more in ${file}`] : [])].join('\n');
}

type Report = {
  answer: string;
  /** What the result's `data` is. Its lists are cut where it is too long. */
  data: Record<string, unknown>;
  passages: ReturnType<typeof passageOf>[];
  summary: string;
  artifacts: NewArtifact[];
  /** The texts that were read, by the names that quotations have in `source`. */
  sources: Record<string, string>;
};

/**
 * The outcome of a legal tool. Every quotation is compared with its source here; with one that is not there, the call
 * fails.
 */
export function reportOutcome({ answer, data, passages, summary, artifacts, sources }: Report): ToolOutcome {
  sealResult(data, answer, sources);
  const citedAs = Object.fromEntries(passages.map(({ chunkId }, i) => [chunkId, i + 1]));
  const output = { answer, ...(passages.length > 0 ? { citedAs, passages } : {}), data: shortened(data) };
  return { output: JSON.parse(JSON.stringify(output)) as JsonValue, summary, artifacts };
}

/** The data with shorter lists, longest first, until it fits. `omitted`: how many entries were left out of each. */
function shortened(data: Record<string, unknown>): Record<string, unknown> {
  const cut: Record<string, unknown> = { ...data };
  const omitted: Record<string, number> = {};
  const sizeOf = (value: unknown) => JSON.stringify(value)?.length ?? 0;
  while (sizeOf(cut) > maxData) {
    const lists = Object.entries(cut).filter(
      (entry): entry is [string, unknown[]] => Array.isArray(entry[1]) && entry[1].length > 1,
    );
    const [longest] = lists.sort(([, a], [, b]) => sizeOf(b) - sizeOf(a));
    if (!longest) break;
    const [name, list] = longest;
    const kept = Math.floor(list.length / 2);
    cut[name] = list.slice(0, kept);
    omitted[name] = (omitted[name] ?? 0) + list.length - kept;
  }
  return Object.keys(omitted).length > 0 ? { ...cut, omitted } : cut;
}

/** A result as a file, with everything that it has. */
export const jsonFile = (name: string, value: unknown): NewArtifact => ({
  name,
  mediaType: 'application/json',
  bytes: new TextEncoder().encode(JSON.stringify(value, null, 2)),
});

/** "1 finding", "2 findings". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
