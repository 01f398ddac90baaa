/** A spreadsheet takes a cell that begins so for a formula. */
const formula = /^[=+\-@\t\r]/;
const neutralised = /^'(?=[=+\-@\t\r])/;

/** A cell that no spreadsheet runs (https://owasp.org/www-community/attacks/CSV_Injection). */
export const neutralCell = (text: string) => (formula.test(text) ? `'${text}` : text);

/** What `neutralCell` was given. Also takes away the mark that spreadsheets show numbers as text with. */
export const plainCell = (cell: string) => cell.replace(neutralised, '');
