/** What one program may use. The message of each limit names it. */
export const limits = {
  /** The program itself, in milliseconds. */
  timeMs: 5_000,
  /** Everything: the start of the process, the program and its charts, in milliseconds. Then the process is ended. */
  wholeMs: 15_000,
  memoryBytes: 64 * 1024 * 1024,
  stackBytes: 512 * 1024,
  /** Of the result as JSON. */
  resultCharacters: 100_000,
  /** Of what is printed: the rest is left out. */
  printedCharacters: 20_000,
  /** Of the description of an error. */
  errorCharacters: 2_000,
  /** Of the name of an error, and of a file. */
  nameCharacters: 150,
  files: 10,
  charts: 10,
  /** Of all files and specifications of charts together, as JSON. */
  filesCharacters: 5_000_000,
  /** Of all charts together. */
  points: 5_000,
  /** Of all pictures of charts together. */
  pictureBytes: 5_000_000,
} as const;
