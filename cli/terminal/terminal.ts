import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];
type Stream = NodeJS.WriteStream;

/** Answers go to standard output; everything said about them goes to standard error. */
export function createTerminal({ stdout, stderr }: { stdout: Stream; stderr: Stream } = process) {
  let status = '';
  // Some terminals do not tell their width, and say 0.
  const width = stdout.columns || stderr.columns || 80;
  const clearStatus = () => {
    if (status) stderr.write('\r\u001b[2K');
    status = '';
  };
  return {
    /** Whether a person watches the answer as it comes. */
    isLive: stdout.isTTY,
    /** Whether progress may be rewritten in place. */
    isLiveStatus: stderr.isTTY,
    columns: Math.max(40, Math.min(width, 100)),
    /** Text for standard output, as it is; control characters are dropped when a terminal would obey them. */
    write(text: string) {
      clearStatus();
      stdout.write(stdout.isTTY ? printable(text) : text);
    },
    print(line = '') {
      this.write(`${line}\n`);
    },
    /** One styled line for standard output. */
    printStyled(style: Style, line: string) {
      clearStatus();
      stdout.write(`${styleText(style, printable(line), { stream: stdout })}\n`);
    },
    /** One line about what happens, for standard error. */
    note(line: string, style?: Style) {
      clearStatus();
      const text = printable(line);
      stderr.write(`${style ? styleText(style, text, { stream: stderr }) : text}\n`);
    },
    /** A line that the next one replaces; on anything but a terminal nothing. */
    status(line: string) {
      if (!stderr.isTTY) return;
      clearStatus();
      status = printable(line).slice(0, width - 1);
      stderr.write(styleText('dim', status, { stream: stderr }));
    },
    clearStatus,
  };
}
export type Terminal = ReturnType<typeof createTerminal>;

/** Without the control characters by which a document or a model could take over the terminal; newline and tab stay. */
export function printable(text: string): string {
  return text
    .replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, '')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');
}

/** Wraps at spaces; a longer word stands alone on its line. */
export function wrap(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line ? `${line} ${word}` : word;
    }
  }
  if (line) lines.push(indent + line);
  return lines.join('\n');
}

/** Columns as wide as their widest cell, two spaces apart. */
export function table(rows: string[][]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
