import { styleText } from 'node:util';
import stringWidth from 'string-width';

type Style = Parameters<typeof styleText>[0];
type Stream = NodeJS.WriteStream;

/** Answers go to standard output. Notes and progress go to standard error. */
export function createTerminal({ stdout, stderr }: { stdout: Stream; stderr: Stream } = process) {
  let status = '';
  // Some terminals report a width of 0.
  const width = stdout.columns || stderr.columns || 80;
  const clearStatus = () => {
    if (status) stderr.write('\r\u001b[2K');
    status = '';
  };
  return {
    /** Whether standard output is a terminal: the answer is shown while it is generated. */
    isLive: stdout.isTTY,
    /** Whether standard error is a terminal: progress is rewritten in place. */
    isLiveStatus: stderr.isTTY,
    /** Width for text, in columns of the terminal. */
    columns: Math.max(40, Math.min(width, 100)),
    /** Writes text to standard output. On a terminal, control characters are removed. */
    write(text: string) {
      clearStatus();
      stdout.write(stdout.isTTY ? printable(text) : text);
    },
    print(line = '') {
      this.write(`${line}\n`);
    },
    /** Writes a result for programs to standard output. */
    printJson(result: unknown) {
      this.print(JSON.stringify(result, null, 2));
    },
    /** Writes one styled line to standard output. */
    printStyled(style: Style, line: string) {
      clearStatus();
      stdout.write(`${styleText(style, printable(line), { stream: stdout })}\n`);
    },
    /** Writes one line to standard error. */
    note(line: string, style?: Style) {
      clearStatus();
      const text = printable(line);
      stderr.write(`${style ? styleText(style, text, { stream: stderr }) : text}\n`);
    },
    /** Shows a line of progress that the next output replaces. Does nothing when standard error is not a terminal. */
    status(line: string) {
      if (!stderr.isTTY) return;
      clearStatus();
      status = prefixWithin(printable(line), width - 1);
      stderr.write(styleText('dim', status, { stream: stderr }));
    },
    clearStatus,
  };
}
export type Terminal = ReturnType<typeof createTerminal>;

/**
 * Removes control characters, except newline and tab: text of a document or a model must not control the terminal.
 */
export function printable(text: string): string {
  return text
    .replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, '')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');
}

const graphemes = new Intl.Segmenter();

/** The longest beginning of the text that takes at most this many columns. */
export function prefixWithin(text: string, columns: number): string {
  let width = 0;
  for (const { segment, index } of graphemes.segment(text)) {
    width += stringWidth(segment);
    if (width > columns) return text.slice(0, index);
  }
  return text;
}

/**
 * Wraps at spaces. A word that is wider than the line gets a line of its own.
 *
 * @param width of a line, in columns: CJK characters and most emoji take two
 */
export function wrap(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line && stringWidth(`${indent}${line} ${word}`) > width) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line ? `${line} ${word}` : word;
    }
  }
  if (line) lines.push(indent + line);
  return lines.join('\n');
}

/** Aligns columns: each is as wide as its widest cell, with two spaces between them. */
export function table(rows: string[][]): string {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, stringWidth(cell))),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - stringWidth(cell))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
