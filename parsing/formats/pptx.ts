import { append } from '../extremes.ts';
import { fileProblem } from '../file-problem.ts';
import { openOfficePackage, type OfficePackage } from './office-package.ts';
import { findAll, packagePart, relationIdOf, readRelations, readTitle, readTree } from './office-xml.ts';
import { chartUnits, diagramUnits } from './pptx-graphics.ts';
import { notesOf, slideUnits, titleOfSlide } from './pptx-slide.ts';
import { refuseLongText } from '../limits.ts';
import { body, type Outline, type Unit } from '../chunks/unit.ts';

/**
 * Reads a PowerPoint presentation. Each slide is a page with a heading, its text, its tables and the speaker's notes.
 * Charts are read as tables, SmartArt as lines. Macros (.pptm) are not read.
 *
 * The libraries for slides were rejected: they depend on a PDF reader and on text recognition, and return one long text
 * without structure.
 *
 * @throws AlfredError `file_unreadable` or `file_too_large`
 */
export async function readPptx(name: string, bytes: Uint8Array): Promise<Outline> {
  const file = openOfficePackage(name, bytes);
  const presentationPart = await packagePart(name, file, 'officeDocument', 'ppt/presentation.xml');
  const relations = await readRelations(name, file, presentationPart);
  const slides = findAll(await readTree(name, file, presentationPart), 'sldId').map(
    (slide) => relations.get(relationIdOf(slide) ?? '')?.part,
  );
  const units: Unit[] = [];
  let firstTitle = '';
  let characters = 0;
  for (const [index, part] of slides.entries()) {
    if (!part) throw slideMissing(name, index + 1);
    const slide = await readSlide(name, file, part, index + 1);
    characters += slide.units.reduce((sum, { text }) => sum + text.length, 0);
    refuseLongText(name, characters);
    firstTitle ||= slide.title;
    append(units, slide.units);
  }
  // A heading like "Slide 1", of a slide without a title, is not a title of the presentation.
  return { title: (await readTitle(name, file)) ?? (firstTitle || undefined), units, headingsNameParts: true };
}

type Slide = { title: string; units: Unit[] };

async function readSlide(name: string, file: OfficePackage, part: string, page: number): Promise<Slide> {
  const slide = await readTree(name, file, part);
  const relations = [...(await readRelations(name, file, part)).values()];
  const notesPart = relations.find(({ kind }) => kind === 'notesSlide')?.part;
  const notes = notesPart ? notesOf(await readTree(name, file, notesPart)) : '';
  const graphics: Unit[] = [];
  for (const { kind, part: graphic } of relations) {
    if (kind === 'chart') append(graphics, chartUnits(await readTree(name, file, graphic), page));
    if (kind === 'diagramData') append(graphics, diagramUnits(await readTree(name, file, graphic), page));
  }
  const units = [...slideUnits(slide, page), ...graphics, ...(notes ? [body(`Notes: ${notes}`, { page })] : [])];
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
