import { normalise } from './normalise.ts';
import { body, type Outline } from './unit.ts';

/** Plain text: paragraphs between empty lines, their own line breaks kept. */
export const readPlainText = (text: string): Outline => ({
  title: undefined,
  units: normalise(text)
    .split(/\n\s*\n/)
    .map((paragraph) => body(paragraph)),
});
