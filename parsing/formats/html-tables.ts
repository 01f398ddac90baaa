import type { Element } from 'hast';
import type { Nodes, RootContent, Table } from 'mdast';
import { documentTableTexts, isName } from '../chunks/document-table.ts';
import { inlineText } from '../chunks/inline-text.ts';
import { blockText } from '../chunks/outline-of-tree.ts';
import type { Cell, Row } from '../chunks/table-rows.ts';
import { singleLine } from '../normalise.ts';

/** The part of the converter's state that is used: it converts what stands in an element. */
type Converter = { all(parent: Element): Nodes[]; toFlow(nodes: Nodes[]): Nodes[] };

/** The HTML standard's limits for spans are 1,000 and 65,534. No table that people read is so large. */
const maxSpan = 200;
/** A longer text in a cell over several rows is a note beside them, not what they belong to. */
const repeatMaxCharacters = 200;
/** A longer cell is a text of its own, with paragraphs. */
const layoutCellCharacters = 600;
const headerMaxRows = 4;

/**
 * Converts a table of HTML. Its rows become texts that repeat the names of their columns and what merged cells say. A
 * table that only arranges a page becomes its content, cell by cell.
 */
export function convertTable(state: Converter, table: Element): Nodes[] {
  const rows = rowsOf(table);
  const caption = table.children.find((child) => child.type === 'element' && child.tagName === 'caption');
  const captions = caption?.type === 'element' ? state.toFlow(state.all(caption)) : [];
  const contents = new Map(rows.flatMap(({ cells }) => cells.map((cell) => [cell, state.all(cell)])));
  if (isLayout(table, rows))
    return [...captions, ...[...contents.values()].flatMap((content) => state.toFlow(content))];
  const grid = gridOf(rows, (cell) => textOf(contents.get(cell) ?? []));
  const texts = documentTableTexts({ rows: grid, headerRows: headerRowsOf(rows) });
  return [...captions, { type: 'table', children: [], data: { texts } } satisfies Table];
}

type TableRow = { cells: Element[]; isHead: boolean };

const isCell = ({ tagName }: Element) => tagName === 'td' || tagName === 'th';

const childElements = (parent: Element): Element[] =>
  parent.children.filter((child): child is Element => child.type === 'element');

/** The table's own rows, not those of tables in its cells. */
const rowsOf = (table: Element): TableRow[] =>
  childElements(table).flatMap((part) => {
    if (part.tagName === 'tr') return [{ cells: childElements(part).filter(isCell), isHead: false }];
    if (!/^(?:thead|tbody|tfoot)$/.test(part.tagName)) return [];
    return childElements(part)
      .filter(({ tagName }) => tagName === 'tr')
      .map((row) => ({ cells: childElements(row).filter(isCell), isHead: part.tagName === 'thead' }));
  });

/** The marked header: the rows of `<thead>`, else the first ones whose cells are all `<th>`. */
function headerRowsOf(rows: TableRow[]): number | undefined {
  const end = rows.findIndex(
    ({ cells, isHead }) => !isHead && !(cells.length > 1 && cells.every(({ tagName }) => tagName === 'th')),
  );
  const count = Math.min(headerMaxRows, end < 0 ? rows.length : end);
  return count > 0 ? count : undefined;
}

/** Places cells as the HTML standard does (4.9.12): those over several rows push the cells below them to the right. */
function gridOf(rows: TableRow[], textOfCell: (cell: Element) => string): Row[] {
  let reaching: { cell: Cell; width: number; rows: number }[] = [];
  return rows.map(({ cells }) => {
    const row: Row = [];
    const taken = new Set<number>();
    for (const { cell, width } of reaching) {
      for (let at = cell.column; at < cell.column + width; at++) taken.add(at);
      if (cell.text !== '' && cell.text.length <= repeatMaxCharacters) row.push({ ...cell, isRepeated: true });
    }
    for (const open of reaching) open.rows--;
    reaching = reaching.filter((open) => open.rows > 0);
    let column = 0;
    for (const element of cells) {
      while (taken.has(column)) column++;
      const width = spanOf(element.properties.colSpan);
      const text = textOfCell(element);
      const cell: Cell = { column, text, isText: isName(text), ...(width > 1 && { span: width }) };
      if (text !== '') row.push(cell);
      const height = spanOf(element.properties.rowSpan);
      if (height > 1) reaching.push({ cell, width, rows: height - 1 });
      column += width;
    }
    return row.sort((a, b) => a.column - b.column);
  });
}

const spanOf = (span: unknown): number => Math.min(maxSpan, Math.max(1, Number(span) || 1));

/** The text of a cell in one line. The rows of a table within it stand in brackets. */
function textOf(content: Nodes[]): string {
  const parts: string[] = [];
  let inline: Nodes[] = [];
  const endInline = () => {
    parts.push(inlineText(inline));
    inline = [];
  };
  for (const node of content) {
    if (inlineTypes.has(node.type)) inline.push(node);
    else {
      endInline();
      parts.push(textOfBlock(node as RootContent));
    }
  }
  endInline();
  return singleLine(parts.join(' '));
}

function textOfBlock(node: RootContent): string {
  if (node.type === 'table') return (node.data?.texts ?? []).map((row) => `(${row})`).join(' ');
  if (node.type !== 'list') return blockText(node);
  return node.children.map((item) => textOf(item.children)).join(', ');
}

const inlineTypes: ReadonlySet<string> = new Set([
  'text',
  'break',
  'emphasis',
  'strong',
  'delete',
  'link',
  'linkReference',
  'image',
  'imageReference',
  'inlineCode',
  'html',
  'footnoteReference',
]);

/** Whether a table only arranges a page: it has one column, or its cells hold sections, tables and long texts. */
function isLayout(table: Element, rows: TableRow[]): boolean {
  const { role } = table.properties;
  if (role === 'presentation' || role === 'none') return true;
  const cells = rows.flatMap((row) => row.cells);
  if (cells.some(({ tagName }) => tagName === 'th')) return false;
  if (rows.every((row) => row.cells.length <= 1)) return true;
  const nested = cells.flatMap((cell) => descendants(cell, 'table'));
  const length = textLength(table);
  return (
    nested.reduce((sum, inner) => sum + textLength(inner), 0) > length / 2 ||
    cells.some((cell) => ['h1', 'h2', 'h3'].some((tag) => descendants(cell, tag).length > 0)) ||
    cells.some((cell) => textLength(cell) > layoutCellCharacters && descendants(cell, 'p').length > 2)
  );
}

/** Elements of that name within an element. Matching elements are not searched further. */
const descendants = (parent: Element, tagName: string): Element[] =>
  childElements(parent).flatMap((child) => (child.tagName === tagName ? [child] : descendants(child, tagName)));

const textLength = (parent: Element): number =>
  parent.children.reduce(
    (sum, child) =>
      sum + (child.type === 'text' ? singleLine(child.value).length : child.type === 'element' ? textLength(child) : 0),
    0,
  );
