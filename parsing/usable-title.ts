import { singleLine } from './normalise.ts';

/** What programs write into the title of a file without a name. */
const defaultTitles =
  /^(?:(?:untitled|unnamed|unbenannt|sans titre|sin título|senza titolo)(?: (?:document|page|presentation|spreadsheet|form|\d+))*|\(anonymous\)|unspecified|unknown|none|null|undefined|title|no title|page title|(?:new |word |text |microsoft word )?document ?\d*|(?:new |microsoft excel )?(?:book|workbook|worksheet|spreadsheet|sheet|mappe|classeur|libro|cartel) ?\d*|(?:new )?presentation ?\d*|(?:dokument|documento|présentation|präsentation|presentación|presentazione) ?\d*|powerpoint[ -]\p{L}+|présentation powerpoint|presentación de powerpoint|slide \d+|folie \d+|layout \d+|print|index|home|(?:react|vite|vue|next|create next)(?:\.js)? app|vite \+ .*)$/iu;
const fileName =
  /\.(?:docx?|docm|dotx?|xlsx?|xlsm|pptx?|pptm|pdf|odt|ods|odp|rtf|txt|md|tex|dvi|e?ps|html?|csv|indd|qxd|pages|key|pub|fm|ai|psd|wpd|jpe?g|png|tiff?)$/i;
const identifier = /^(?:[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/**
 * The title in a file's metadata, as one line.
 *
 * @returns undefined for a program's default, a file name, a path, an address and an identifier:
 *   these name a file, not what stands in it
 */
export function usableTitle(title: string | undefined): string | undefined {
  const clean = singleLine(title ?? '').replace(/^Microsoft (?:Office )?\w+ - /i, '');
  if (!/\p{L}/u.test(clean) || defaultTitles.test(clean) || fileName.test(clean) || identifier.test(clean))
    return undefined;
  return /^(?:[a-z][\w+.-]*:\/\/|[a-z]:\\|\\\\|\/\w+\/)/i.test(clean) ? undefined : clean;
}
