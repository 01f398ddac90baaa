import { AlfredError } from '../../../contract/errors.ts';

/** One row of a playbook. `start` and `end`: where the row stands in the playbook's text. */
export type Position = {
  topic: string;
  preferred: string;
  fallback: string;
  redLine: string;
  /** The company's own wording, where the table has a column for it. */
  clause: string | undefined;
  start: number;
  end: number;
};
export type Playbook = { positions: Position[]; party: string | undefined };

/** What the columns may be called. */
const columns = {
  topic: /^(topic|clause topic|issue|subject|clause)$/i,
  preferred: /prefer|standard|our position/i,
  fallback: /fall-?\s?back|acceptable/i,
  redLine: /red\s?-?line|walk|never|not accept|deal-?breaker/i,
  clause: /wording|our clause|text|language/i,
} as const;

const weAre = /^[^\p{L}\p{N}\n]{0,20}we[ \t]{1,5}are\b([^\n]{1,80})$/gimu;
/** Every row is looked for in the whole contract. */
const maxRows = 300;
/** A row as the parsers of Word and HTML files write it: `Topic: Payment; Preferred: 30 days`. */
const labelled = /^[^:;\n]{1,80}: [^\n]*; [^:;\n]{1,80}: /;

/**
 * Reads the company's playbook: a table with a topic, the preferred position, a fallback and a red line in each row.
 *
 * @throws AlfredError `invalid_request` that says what the table must have
 */
export function readPlaybook(text: string): Playbook {
  const positions: Position[] = [];
  let header: (keyof typeof columns | undefined)[] | undefined;
  let start = 0;
  for (const line of text.split('\n')) {
    const cells = line.trim().startsWith('|') ? cellsOf(line) : undefined;
    const fields = cells ? undefined : labelled.test(line) ? labelledCells(line) : undefined;
    if (cells) {
      const named = cells.map(columnOf);
      if (named.includes('topic') && named.includes('preferred')) header = named;
      else if (header && !cells.every((cell) => /^:?-+:?$/.test(cell))) {
        const columnsOfRow = header;
        const cell = (name: keyof typeof columns) => cells[columnsOfRow.indexOf(name)]?.trim() ?? '';
        addPosition(positions, { cell, start, line });
      }
    } else if (fields) addPosition(positions, { cell: (name) => fields.get(name) ?? '', start, line });
    start += line.length + 1;
  }
  if (positions.length > maxRows)
    throw new AlfredError(
      'invalid_request',
      `The playbook has ${positions.length} rows; at most ${maxRows} are compared. Keep those for this kind of contract.`,
    );
  if (positions.length === 0)
    throw new AlfredError(
      'invalid_request',
      'The playbook has no table with the columns Topic, Preferred, Fallback and Red line. Its first row names them.',
    );
  return { positions, party: partyIn(text) };
}

/** Our party in a line such as `We are: **Customer**`. */
function partyIn(text: string): string | undefined {
  for (const [, rest = ''] of text.matchAll(weAre)) {
    const name = rest
      .replace(/[*:]|\.\s*$/g, ' ')
      .trim()
      .replace(/^the\s+/i, '');
    if (/^[\p{L} ]{2,40}$/u.test(name)) return name;
  }
  return undefined;
}

function addPosition(
  positions: Position[],
  { cell, start, line }: { cell: (name: keyof typeof columns) => string; start: number; line: string },
) {
  if (cell('topic') === '') return;
  positions.push({
    topic: cell('topic'),
    preferred: cell('preferred'),
    fallback: cell('fallback'),
    redLine: cell('redLine'),
    clause: cell('clause') || undefined,
    start,
    end: start + line.trimEnd().length,
  });
}

const cellsOf = (line: string) =>
  line
    .trim()
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replace(/\\\|/g, '|').replace(/\*\*/g, ''));

const columnOf = (name: string): keyof typeof columns | undefined =>
  (Object.keys(columns) as (keyof typeof columns)[]).find((column) => columns[column].test(name));

function labelledCells(line: string): Map<keyof typeof columns, string> {
  const fields = new Map<keyof typeof columns, string>();
  for (const part of line.split(/; (?=[^:;\n]{1,80}: )/)) {
    const at = part.indexOf(': ');
    const column = columnOf(part.slice(0, at).trim());
    if (column && !fields.has(column)) fields.set(column, part.slice(at + 2).trim());
  }
  return fields;
}
