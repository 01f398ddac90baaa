import { smallest } from '../extremes.ts';
import { normalise } from '../normalise.ts';
import { body, type Outline, type Unit } from '../chunks/unit.ts';

const headingMaxCharacters = 80;

/**
 * Reads plain text. Empty lines separate paragraphs, which keep their line breaks. A short paragraph of one line is a
 * heading if it is in capitals or numbered, and does not end with punctuation.
 */
export function readPlainText(text: string): Outline {
  const paragraphs = normalise(text).split('\n\n');
  const depths = paragraphs.map(headingDepth);
  // Several numbered lines in a row are a list, so a heading has to be followed by text or a deeper heading.
  const units = paragraphs.map((paragraph, index): Unit => {
    const depth = depths[index];
    const next = depths[index + 1];
    const isHeading = depth !== undefined && index + 1 < paragraphs.length && (next === undefined || next > depth);
    return isHeading ? { kind: 'heading', depth, text: paragraph, page: null } : body(paragraph);
  });
  const depth = smallest(units.map((unit) => (unit.kind === 'heading' ? unit.depth : Infinity)));
  const top = units.find((unit) => unit.kind === 'heading' && unit.depth === depth);
  // A first section like "1. Scope" does not name the whole text.
  return { title: undefined, units, headingsNameParts: top !== undefined && /^\d/.test(top.text) };
}

/** @returns undefined when the line does not look like a heading */
function headingDepth(line: string): number | undefined {
  if (line.length > headingMaxCharacters || line.includes('\n') || /[.,;:!?]$/.test(line)) return undefined;
  const number = /^\d{1,2}(?:\.\d{1,2}){0,3}(?=[.)]?\s+\p{Lu})/u.exec(line)?.[0];
  if (number !== undefined) return 1 + number.split('.').length;
  return /\p{Lu}{3}/u.test(line) && !/\p{Ll}/u.test(line) ? 1 : undefined;
}
