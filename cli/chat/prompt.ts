import stringWidth from 'string-width';
import { prefixWithin, type Terminal } from '../terminal/terminal.ts';
import { createLineEditor } from './line-editor.ts';

/** A word that is not complete is buffered up to this length. A longer one is text of a language without spaces. */
const longestWord = 40;

type Options = {
  input: NodeJS.ReadStream;
  /** Where the prompt is shown. Not standard output: only answers are written there. */
  screen: NodeJS.WriteStream;
  terminal: Terminal;
  /** Whether an answer is expected or in progress. */
  isBusy: () => boolean;
  onLine: (line: string) => void;
  onInterrupt: () => void;
  onClose: () => void;
};

/**
 * A line to type on, while answers are written to the same screen.
 *
 * While the line is empty and an answer is in progress, the line is hidden and the answer streams in its place. From
 * the first key on, the line is shown below the answer, which continues above it row by row, until the line is
 * submitted or emptied.
 */
export function createPrompt({ input, screen, terminal, isBusy, onLine, onInterrupt, onClose }: Options) {
  const line = createLineEditor(input, screen);
  const { editor } = line;
  let isClosed = false;
  /** Text that is not on the screen yet: an incomplete word, or an incomplete row while the line is shown. */
  let buffered = '';
  /** The cursor is behind text, not at the start of a row. */
  let isMidRow = false;

  function showLine() {
    if (line.isShown()) return;
    terminal.clearStatus();
    endRow();
    line.show();
  }

  function endRow() {
    if (isMidRow) terminal.write('\n');
    isMidRow = false;
  }

  /** Writes above the line. */
  function writeAbove(write: () => void) {
    const wasShown = line.isShown();
    line.hide();
    write();
    if (wasShown) showLine();
  }

  function flush() {
    const [ready, rest] = line.isShown() ? splitRows(buffered, terminal.columns) : splitWords(buffered);
    buffered = rest;
    if (ready === '') return;
    writeAbove(() => {
      terminal.write(ready);
      isMidRow = !ready.endsWith('\n');
    });
  }

  /** Call it after each key and event: shows the line while it has text or no answer is expected, else hides it. */
  function refresh() {
    if (isClosed) return;
    if (line.hasChangedRow()) line.hide();
    if (editor.line !== '' || !isBusy()) return showLine();
    line.hide();
    flush();
  }

  editor.on('line', (text) => {
    line.markSubmitted();
    onLine(text);
  });
  editor.on('SIGINT', () => {
    if (editor.line === '' || isBusy()) return onInterrupt();
    line.clear();
  });
  editor.on('close', () => {
    input.off('keypress', refresh);
    isClosed = true;
    line.hide();
    if (buffered !== '') terminal.write(`${buffered}\n`);
    else endRow();
    buffered = '';
    onClose();
  });
  input.on('keypress', refresh);

  const write = (text: string) => {
    if (!terminal.isLive) return terminal.write(text);
    buffered += text;
    flush();
  };
  const writeLine = (print: () => void) =>
    writeAbove(() => {
      endRow();
      print();
    });
  const promptTerminal: Terminal = {
    ...terminal,
    write,
    print: (text = '') => write(`${text}\n`),
    printStyled: (style, text) => writeLine(() => terminal.printStyled(style, text)),
    note: (text, style) => writeLine(() => terminal.note(text, style)),
    status: (text) => {
      if (!line.isShown() && !isMidRow) terminal.status(text);
    },
  };
  return {
    /** Use it for all other output: it keeps the line below. */
    terminal: promptTerminal,
    refresh,
    close: () => editor.close(),
  };
}

/** Splits at the last space, so that a note in between does not cut a word in two. */
function splitWords(text: string): [ready: string, rest: string] {
  const word = text.search(/\S*$/);
  return text.length - word > longestWord ? [text, ''] : [text.slice(0, word), text.slice(word)];
}

/** Splits into complete lines and rows, and the rest that does not fill a row. */
function splitRows(text: string, columns: number): [ready: string, rest: string] {
  const end = text.lastIndexOf('\n') + 1;
  let ready = text.slice(0, end);
  let rest = text.slice(end);
  while (stringWidth(rest) > columns) {
    const rowEnd = prefixWithin(rest, columns).length;
    const space = rest.lastIndexOf(' ', rowEnd);
    const cut = space > 0 ? space : rowEnd;
    ready += `${rest.slice(0, cut)}\n`;
    rest = rest.slice(cut).trimStart();
  }
  return [ready, rest];
}
