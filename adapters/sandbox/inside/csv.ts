/**
 * Makes `csv`, the tables of programs. Evaluated inside the sandbox by its source: it uses nothing outside of itself.
 *
 * @param show a value as text
 */
export function makeCsv(show: (value: unknown) => string) {
  const cellOf = (value: unknown): string => {
    const cell = value === null || value === undefined ? '' : show(value);
    return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  };

  function rowsOf(source: string, separator: unknown): string[][] {
    const rows: string[][] = [];
    let row: string[] = [];
    let cell = '';
    let isQuoted = false;
    const endCell = () => {
      row.push(cell);
      cell = '';
    };
    const endRow = () => {
      endCell();
      if (row.length > 1 || row[0] !== '') rows.push(row);
      row = [];
    };
    for (let at = 0; at < source.length; at++) {
      const character = source[at]!;
      if (isQuoted && character === '"' && source[at + 1] === '"') {
        cell += '"';
        at++;
      } else if (character === '"') isQuoted = !isQuoted;
      else if (isQuoted) cell += character;
      else if (character === separator) endCell();
      else if (character === '\n') endRow();
      else if (character !== '\r') cell += character;
    }
    endRow();
    return rows;
  }

  return {
    /** Rows are arrays, or objects, whose keys become the first line. */
    format(rows: unknown): string {
      if (!Array.isArray(rows)) throw new TypeError('csv.format(rows): rows must be an array');
      const given: unknown[] = rows;
      const keys = [...new Set(given.flatMap((row) => (Array.isArray(row) ? [] : Object.keys(row as object))))];
      const cells = given.map((row) =>
        Array.isArray(row) ? (row as unknown[]) : keys.map((key) => (row as Record<string, unknown>)[key]),
      );
      return [...(keys.length > 0 ? [keys] : []), ...cells].map((row) => `${row.map(cellOf).join(',')}\n`).join('');
    },

    /** Objects by the names of the first line. Every value is a text. */
    parse(source: unknown, separator: unknown = ','): Record<string, string>[] {
      if (typeof source !== 'string') throw new TypeError('csv.parse(text): text must be a string');
      const [names = [], ...rows] = rowsOf(source, separator);
      return rows.map((values) => Object.fromEntries(names.map((name, at) => [name.trim(), values[at] ?? ''])));
    },
  };
}
