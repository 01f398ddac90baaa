/** Characters nobody sees: they break words for a search, and hide text from the people who approve it. */
const invisible =
  /[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\u{e0000}-\u{e007f}]/gu;
const control = /[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f]/g;

/**
 * The form in which text is stored, searched and quoted: well-formed Unicode in NFC, `\n` as the only line end, nothing
 * invisible, no space at line ends, at most one empty line. Normalising twice changes nothing.
 */
export const normalise = (text: string) =>
  text
    .toWellFormed()
    .replace(/\r\n?|[\u000b\u000c\u0085\u2028\u2029]/g, '\n')
    .replace(invisible, '')
    .replace(control, '')
    .normalize('NFC')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+/, '')
    .trimEnd();

/** One line of prose: every run of white space is one space. */
export const singleLine = (text: string) => text.replace(/\s+/g, ' ').trim();
