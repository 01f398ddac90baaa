import { readPlainText } from '../formats/plain-text.ts';
import { joinLines } from '../formats/join-lines.ts';
import type { Unit } from '../chunks/unit.ts';

/** The pieces of a recognised text: empty lines stand between paragraphs, whose lines belong together. */
export function recognisedUnits(text: string, page: number | null): Unit[] {
  const paragraphs = text
    .split(/\n[^\S\n]*\n/)
    .map((paragraph) =>
      paragraph
        .split('\n')
        .map((line) => line.trim())
        .filter(isText)
        .reduce(joinNext, ''),
    )
    .filter(Boolean);
  return readPlainText(paragraphs.join('\n\n')).units.map((unit) => ({ ...unit, page }));
}

const joinNext = (text: string, line: string) => (text ? joinLines(text, line) : line);

/** Rules, dust and pictures become lines of signs. */
const isText = (line: string) => /[\p{L}\p{N}]{2}|^[\p{L}\p{N}]$/u.test(line);
