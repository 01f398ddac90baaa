import { createHash } from 'node:crypto';

/** In UTF-16 code units. */
const maxNameLength = 512;

/** Removes control characters and replaces lone surrogates by U+FFFD. */
export const withoutControls = (text: string) => text.replace(/[\u0000-\u001f\u007f]/g, '').toWellFormed();

/**
 * Turns a text into a valid name of a document. When the name has to be changed or cut, a hash
 * of the text is added before the extension, so that different texts keep different names.
 */
export function documentNameOf(text: string): string {
  const name = withoutControls(text).trim();
  if (name === text && name.length <= maxNameLength) return name;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const extension = /\.[a-z0-9]{1,8}$/i.exec(name)?.[0] ?? '';
  const rest = name.slice(0, name.length - extension.length).slice(0, maxNameLength - 20 - extension.length);
  return `${rest.toWellFormed()}~${hash}${extension}`;
}
