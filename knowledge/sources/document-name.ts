import { createHash } from 'node:crypto';

/** Of the name of a document. */
const longestName = 512;

export const withoutControls = (text: string) => text.replace(/[\u0000-\u001f\u007f]/g, '').toWellFormed();

/**
 * A name that a document may have: without control characters, and a hash in place of the end where it is too long, but for
 * its extension, which says how it is read.
 */
export function documentNameOf(text: string): string {
  const name = withoutControls(text).trim();
  if (name === text && name.length <= longestName) return name;
  // Two that differ in what is left out are two all the same.
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const extension = /\.[a-z0-9]{1,8}$/i.exec(name)?.[0] ?? '';
  const rest = name.slice(0, name.length - extension.length).slice(0, longestName - 20 - extension.length);
  return `${rest.toWellFormed()}~${hash}${extension}`;
}
