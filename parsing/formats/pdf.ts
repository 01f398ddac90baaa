import { getDocumentProxy } from 'unpdf';
import { append } from '../extremes.ts';
import { fileProblem } from '../file-problem.ts';
import { maxPages, tooManyPages } from '../limits.ts';
import { usableTitle } from '../usable-title.ts';
import { createCharacterMaps } from './pdf-character-maps.ts';
import { joinLines } from './join-lines.ts';
import { withFields } from './pdf-fields.ts';
import { cellMark, type Line, readLines } from './pdf-lines.ts';
import { withoutRunningLines } from './pdf-running-lines.ts';
import { tableTexts } from '../chunks/document-table.ts';
import { encodePng } from '../recognition/raster.ts';
import { maxImagePixels, paintPage } from '../recognition/page-picture.ts';
import { type Recognise } from '../recognition/recogniser.ts';
import { recognisedUnits } from '../recognition/recognised-text.ts';
import { body, type Outline, type Unit } from '../chunks/unit.ts';

/** A heading is short, and its letters are larger than those of the text by this factor. */
const headingScale = 1.15;
const headingMaxCharacters = 150;
/** A distance of more than this many letter heights between two baselines begins a paragraph. */
const paragraphGap = 1.75;

/**
 * Reads a PDF page by page. The format has only letters and their positions, no structure. So
 * paragraphs are found by the distance between lines, and headings by the size of their letters. What was filled into a
 * form is read too. Pages without text that are pictures are read by text recognition, if there is one.
 *
 * @throws AlfredError `file_encrypted`, `file_too_large` or `file_unreadable`
 */
export async function readPdf(name: string, bytes: Uint8Array, recognise?: Recognise): Promise<Outline> {
  const maps = createCharacterMaps();
  const pdf = await getDocumentProxy(fromHeader(bytes), {
    verbosity: 0,
    maxImageSize: maxImagePixels,
    ...maps.options,
  }).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'PasswordException') {
      throw fileProblem('file_encrypted', name, 'the PDF is password-protected. Remove the password and add it again.');
    }
    throw fileProblem(
      'file_unreadable',
      name,
      'the PDF is damaged and cannot be opened. Export it again and add it again.',
      error,
    );
  });
  try {
    if (pdf.numPages > maxPages) throw tooManyPages(name, pdf.numPages);
    const pages: Line[][] = [];
    const recognised = new Map<number, Unit[]>();
    for (let number = 1; number <= pdf.numPages; number++) {
      const page = await pdf.getPage(number);
      const lines = await withFields(page, await readLines(page));
      pages.push(lines);
      const picture = recognise && lines.length === 0 ? await paintPage(name, page) : undefined;
      if (recognise && picture)
        recognised.set(number, recognisedUnits(await recognise(name, encodePng(picture)), number));
      if (recognised.size > maxRecognisedPages) throw tooManyScans(name);
      page.cleanup();
    }
    if (maps.missing.length > 0) throw mapMissing(name, maps.missing);
    if (isPlaceholder(pages.flat())) throw dynamicForm(name);
    const texts = withoutRunningLines(pages);
    const sizes = letterSizes(texts.flat());
    return {
      title: await titleOf(pdf),
      units: texts.flatMap((lines, index) => recognised.get(index + 1) ?? pageUnits(lines, index + 1, sizes)),
      notes: emptyPagesNotes(pages, recognise && recognised),
      unreadPictures: !recognise && pages.some((lines) => lines.length === 0),
    };
  } finally {
    await pdf.destroy();
  }
}

/** A page that is a picture takes a few seconds. */
const maxRecognisedPages = 150;

const tooManyScans = (name: string) =>
  fileProblem(
    'file_too_large',
    name,
    `more than ${maxRecognisedPages} of its pages are pictures. Split it and add the parts.`,
  );

const maxListedPages = 20;

/** Says which pages hold no text, of a document in which others do: those that are pictures, and the others. */
function emptyPagesNotes(pages: Line[][], recognised: ReadonlyMap<number, Unit[]> | undefined): string[] {
  const isEmpty = (number: number, lines: Line[]) => lines.length === 0 && !recognised?.get(number)?.length;
  const empty = pages.flatMap((lines, index) => (isEmpty(index + 1, lines) ? [index + 1] : []));
  if (empty.length === pages.length) return [];
  if (!recognised) return noTextNote(empty, '. For scans, set ALFRED_OCR.');
  return [
    ...noTextNote(
      empty.filter((number) => recognised.has(number)),
      ', also not by text recognition.',
    ),
    ...noTextNote(
      empty.filter((number) => !recognised.has(number)),
      '.',
    ),
  ];
}

function noTextNote(pages: number[], end: string): string[] {
  if (pages.length === 0) return [];
  const listed = pages.slice(0, maxListedPages).join(', ') + (pages.length > maxListedPages ? ', …' : '');
  return [`No text on ${pages.length === 1 ? 'page' : 'pages'} ${listed}${end}`];
}

type Sizes = { text: number; headings: number[] };

/** In a size in which more stands, and more than this share of the letters, there is text and not only headings. */
const headingLetters = { count: 400, share: 0.2 };

/** The size of most letters, and the larger sizes, which are those of headings, largest first. */
function letterSizes(lines: Line[]): Sizes {
  const letters = new Map<number, number>();
  let total = 0;
  for (const { size, text } of lines) {
    letters.set(rounded(size), (letters.get(rounded(size)) ?? 0) + text.length);
    total += text.length;
  }
  const text = [...letters].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
  const headings = [...letters]
    .filter(
      ([size, count]) =>
        size >= text * headingScale && count <= Math.max(headingLetters.count, total * headingLetters.share),
    )
    .map(([size]) => size);
  return { text, headings: headings.sort((a, b) => b - a) };
}
const rounded = (size: number) => Math.round(size * 2) / 2;

function pageUnits(lines: Line[], page: number, sizes: Sizes): Unit[] {
  const units: Unit[] = [];
  let before: Line | undefined;
  for (const [index, line] of lines.entries()) {
    const level = resemblesHeading(line) ? sizes.headings.indexOf(rounded(line.size)) : -1;
    const last = units.at(-1);
    const near = before !== undefined && before.y - line.y < line.size * paragraphGap && before.y > line.y;
    const sameSize = before !== undefined && rounded(before.size) === rounded(line.size);
    if (line.isRow) {
      if (!before?.isRow) append(units, rowUnits(lines.slice(index), page));
    } else if (last && near && sameSize && !before?.isRow && (last.kind === 'body' ? level < 0 : level >= 0))
      last.text = joinLines(last.text, line.text);
    else if (level >= 0) units.push({ kind: 'heading', depth: Math.min(level + 1, 6), text: line.text, page });
    else units.push(body(line.text, { page }));
    before = line;
  }
  return units.map((unit) =>
    unit.kind === 'heading' && unit.text.length > headingMaxCharacters ? body(unit.text, { page }) : unit,
  );
}

/** The rows that stand first in `lines`. The first is a header when it looks like one and all have as many cells. */
function rowUnits(lines: Line[], page: number): Unit[] {
  const end = lines.findIndex(({ isRow }) => !isRow);
  const rows = lines.slice(0, end < 0 ? lines.length : end).map(({ text }) => text.split(cellMark));
  const isEven = rows.every(({ length }) => length === rows[0]?.length);
  const texts = isEven ? tableTexts(rows, false) : rows.map((cells) => cells.join(cellMark));
  return texts.map((text, index) => body(text, { page, tight: index > 0 }));
}

/** Large numbers and signs, as in figures, are not headings. */
const resemblesHeading = ({ text, isRow }: Line) =>
  !isRow && /\p{L}{2}/u.test(text) && (text.match(/\p{L}/gu)?.length ?? 0) * 2 >= text.replace(/\s/g, '').length;

/** The title in the metadata, unless it says nothing. */
async function titleOf(pdf: Awaited<ReturnType<typeof getDocumentProxy>>): Promise<string | undefined> {
  const { info } = await pdf.getMetadata().catch(() => ({ info: {} }));
  const title = (info as { Title?: unknown }).Title;
  return typeof title === 'string' ? usableTitle(title) : undefined;
}

/** A copy from the header on: a printer's job language may stand before it, and offsets count from the header. */
function fromHeader(bytes: Uint8Array): Uint8Array {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1_024)).indexOf('%PDF-');
  return new Uint8Array(bytes.subarray(Math.max(0, start)));
}

const isPlaceholder = (lines: Line[]) =>
  /^Please wait\.\.\.\s+If this message is not eventually replaced/.test(lines.map(({ text }) => text).join(' '));

const dynamicForm = (name: string) =>
  fileProblem(
    'file_unreadable',
    name,
    'the PDF is a dynamic form (XFA), which only Adobe Reader can show. Print it to a PDF there and add that one.',
  );

const mapMissing = (name: string, maps: string[]) =>
  fileProblem(
    'file_unreadable',
    name,
    `a font in the PDF is not embedded and needs the character map ${maps[0]}, which is not there. Export it again with its fonts embedded and add it again.`,
  );
