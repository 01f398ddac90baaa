import { longestColumn, mostColumns } from '../../contacts.ts';

/** What Alfred knows of a contact, and how columns for it may be called. Several columns may have e-mails or phones. */
const names = {
  name: 'name|fullname|contact|contactname|displayname|fn',
  firstName: 'firstname|givenname|forename|first|vorname',
  lastName: 'lastname|surname|familyname|last|nachname',
  email: 'email|emails|emailaddress|emailaddresses|mail|primaryemail|workemail|email1|email2|email3|otheremail',
  phone:
    'phone|phones|phonenumber|phonenumbers|telephone|tel|mobile|mobilephone|cell|cellphone|workphone|homephone|phone1|phone2|phone3|telefon|mobil',
  company: 'company|companyname|organisation|organization|org|employer|firma',
  title: 'title|jobtitle|position|role',
  country: 'country|countrycode|countryregion|land',
} as const;
export type ContactField = keyof typeof names;

const fields = new Map<string, ContactField>(
  Object.entries(names).flatMap(([field, words]) =>
    words.split('|').map((word) => [word, field as ContactField] as const),
  ),
);

/** Columns that a download of rejected lines adds. They are left out when it is sent again. */
const ownColumn = /^alfred_/i;
export const lineColumn = 'alfred_line';
export const reasonColumn = 'alfred_reason';
export const rawColumn = 'alfred_raw';

export const isOwnColumn = (column: string) => ownColumn.test(column);

const folded = (column: string) => column.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');

/** @returns undefined for a column that is kept as it is */
export const fieldOf = (column: string): ContactField | undefined => fields.get(folded(column));

/**
 * What is wrong with the columns of a file.
 *
 * @returns one sentence; undefined when they can be used
 */
export function columnProblem(columns: readonly string[], mostUnknown: number): string | undefined {
  if (columns.length > mostColumns)
    return `there are ${columns.length} columns, and ${mostColumns} at the most are read`;
  const long = columns.findIndex((column) => column.length > longestColumn);
  if (long !== -1) return `the name of the column ${long + 1} is longer than ${longestColumn} characters`;
  const seen = new Map<string, string>();
  for (const column of columns) {
    const field = fieldOf(column);
    const key = field === undefined || field === 'email' || field === 'phone' ? folded(column) || column : `=${field}`;
    const before = seen.get(key);
    if (before !== undefined)
      return before === column
        ? `the column "${column}" comes twice. Give each column its own name`
        : `the columns "${before}" and "${column}" say the same of a contact. Leave one out`;
    seen.set(key, column);
  }
  if (!columns.some((column) => ['email', 'phone'].includes(fieldOf(column) ?? '')))
    return `there is no column for e-mail addresses or phone numbers. The first line names the columns, like name,email,phone,company; found are ${shown(columns)}`;
  const unknown = columns.filter((column) => fieldOf(column) === undefined && !isOwnColumn(column));
  if (unknown.length > mostUnknown)
    return `${unknown.length} columns are none that Alfred knows, and ${mostUnknown} of them are kept at the most`;
  return undefined;
}

const shown = (columns: readonly string[]) =>
  columns.length === 0
    ? 'none'
    : columns
        .slice(0, 8)
        .map((column) => `"${column.slice(0, 40)}"`)
        .join(', ');
