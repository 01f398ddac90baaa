import { fileProblem } from '../file-problem.ts';
import { openOfficePackage, type OfficePackage } from './office-package.ts';
import { allOf, relationIdOf, relationsOf, titleOf, treeOf } from './office-xml.ts';
import { notesOf, slideUnits, titleOfSlide } from './pptx-slide.ts';
import { refuseLongText } from '../limits.ts';
import { body, type Outline, type Unit } from '../chunks/unit.ts';

const presentationPart = 'ppt/presentation.xml';

/**
 * A PowerPoint presentation: each slide a page and a heading, with its text, its tables and the speaker's notes. Drawings of
 * SmartArt and the labels of charts are not read. Macros (.pptm) stay packed, as in a workbook.
 *
 * The libraries that read slides bring a PDF reader and text recognition along, and give one long text without structure.
 *
 * @throws AlfredError `file_unreadable` or `file_too_large`
 */
export async function readPptx(name: string, bytes: Uint8Array): Promise<Outline> {
  const file = openOfficePackage(name, bytes);
  const relations = await relationsOf(name, file, presentationPart);
  const slides = allOf(await treeOf(name, file, presentationPart), 'sldId').map(
    (slide) => relations.get(relationIdOf(slide) ?? '')?.part,
  );
  const units: Unit[] = [];
  let firstTitle = '';
  let characters = 0;
  for (const [index, part] of slides.entries()) {
    if (!part) throw slideMissing(name, index + 1);
    const slide = await readSlide(name, file, part, index + 1);
    refuseLongText(name, (characters += slide.units.reduce((sum, { text }) => sum + text.length, 0)));
    firstTitle ||= slide.title;
    units.push(...slide.units);
  }
  // "Slide 1", under which stands what has no title, is none for the whole.
  return { title: firstTitle || (await titleOf(name, file)), units, headingsNameParts: true };
}

type Slide = { title: string; units: Unit[] };

async function readSlide(name: string, file: OfficePackage, part: string, page: number): Promise<Slide> {
  const slide = await treeOf(name, file, part);
  const relations = [...(await relationsOf(name, file, part)).values()];
  const notesPart = relations.find(({ kind }) => kind === 'notesSlide')?.part;
  const notes = notesPart ? notesOf(await treeOf(name, file, notesPart)) : '';
  const units = [...slideUnits(slide, page), ...(notes ? [body(`Notes: ${notes}`, { page })] : [])];
  const title = titleOfSlide(slide);
  if (units.length === 0 && !title) return { title, units };
  return { title, units: [{ kind: 'heading', depth: 1, text: title || `Slide ${page}`, page }, ...units] };
}

const slideMissing = (name: string, number: number) =>
  fileProblem(
    'file_unreadable',
    name,
    `the file is damaged: slide ${number} is missing. Save it again and add it again.`,
  );
