/**
 * A row of a table. `texts` by column from 0, as the file shows them; empty cells are ''. `values`:
 * the plain number that a cell stores (`-1234.5`), null for every other cell. Absent where cells are texts alone (CSV).
 */
export type SheetRow = { row: number; texts: readonly string[]; values?: readonly (string | null)[] };

/** One sheet of a workbook, or the one table of another file. Rows without a filled cell are left out. */
export type Sheet = { name: string; rows: readonly SheetRow[] };

export type SheetFile = { name: string; mediaType: string; bytes: Uint8Array };

/** Reads tables with the address of each cell. */
export interface SheetReader {
  /**
   * Reads the tables of a CSV, XLSX, JSON or JSON Lines file. A table of JSON has its keys in row 1.
   *
   * @throws AlfredError `file_*` with the reason
   */
  readSheets(file: SheetFile, signal: AbortSignal): Promise<Sheet[]>;
}
