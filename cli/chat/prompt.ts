import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline';
import { Writable } from 'node:stream';
import type { Terminal } from '../terminal/terminal.ts';

/** A longer word is not held back: it is a language without spaces. */
const longestWord = 40;

type Options = {
  input: NodeJS.ReadStream;
  /** Where the prompt stands; not standard output, which gets answers only. */
  screen: NodeJS.WriteStream;
  terminal: Terminal;
  /** Whether an answer is under way. */
  isBusy: () => boolean;
  onLine: (line: string) => void;
  onInterrupt: () => void;
  onClose: () => void;
};

/**
 * A line to type on, while answers come on the same screen. While nobody types, an answer streams where the line would
 * be. From the first key on the line stands below it, and the answer goes on above, row by row, until the line is sent
 * or emptied.
 */
export function createPrompt({ input, screen, terminal, isBusy, onLine, onInterrupt, onClose }: Options) {
  let isShown = false;
  let isClosed = false;
  /** The row of the line that the cursor was in when it was drawn. */
  let drawnRow = 0;
  /** Written, and not on the screen yet: the word, or while somebody types the row, that is not complete. */
  let held = '';
  /** The cursor stands behind text. */
  let isMidRow = false;

  // While the line is hidden nothing of it may be drawn, whatever readline hears.
  const gate = new Writable({
    decodeStrings: false,
    write(text: string, _, done) {
      if (isShown) screen.write(text);
      done();
    },
  });
  Object.defineProperty(gate, 'columns', { get: () => screen.columns });
  const editor = createInterface({ input, output: gate, terminal: true, prompt: '> ' });

  function hide() {
    if (!isShown) return;
    moveCursor(screen, 0, -editor.getCursorPos().rows);
    cursorTo(screen, 0);
    clearScreenDown(screen);
    isShown = false;
  }

  function show() {
    if (isShown) return;
    terminal.clearStatus();
    endRow();
    // readline draws from as many rows above as it last knew; what was pasted since it does not count. Drawn unseen, it knows.
    editor.prompt(true);
    isShown = true;
    drawnRow = editor.getCursorPos().rows;
    screen.write('\n'.repeat(drawnRow));
    editor.prompt(true);
  }

  function endRow() {
    if (isMidRow) terminal.write('\n');
    isMidRow = false;
  }

  /** Does something to the screen above the line. */
  function above(act: () => void) {
    const wasShown = isShown;
    hide();
    act();
    if (wasShown) show();
  }

  function release() {
    const [ready, rest] = isShown ? wholeRows(held, terminal.columns) : wholeWords(held);
    held = rest;
    if (ready === '') return;
    above(() => {
      terminal.write(ready);
      isMidRow = !ready.endsWith('\n');
    });
  }

  /** After each key and event: the line stands there when it is typed on, and when nothing else is to come. */
  function settle() {
    if (isClosed) return;
    const { rows, cols } = editor.getCursorPos();
    // Behind the last column the cursor has not come down yet.
    if (isShown && rows !== drawnRow && cols > 0) hide();
    if (editor.line !== '' || !isBusy()) return show();
    hide();
    release();
  }

  editor.on('line', (line) => {
    isShown = false;
    onLine(line);
  });
  editor.on('SIGINT', () => {
    if (editor.line === '' || isBusy()) return onInterrupt();
    editor.write(null, { ctrl: true, name: 'e' });
    editor.write(null, { ctrl: true, name: 'u' });
  });
  editor.on('close', () => {
    input.off('keypress', settle);
    isClosed = true;
    hide();
    if (held !== '') terminal.write(`${held}\n`);
    else endRow();
    held = '';
    onClose();
  });
  input.on('keypress', settle);

  const write = (text: string) => {
    if (!terminal.isLive) return terminal.write(text);
    held += text;
    release();
  };
  const line = (say: () => void) =>
    above(() => {
      endRow();
      say();
    });
  const shared: Terminal = {
    ...terminal,
    write,
    print: (text = '') => write(`${text}\n`),
    printStyled: (style, text) => line(() => terminal.printStyled(style, text)),
    note: (text, style) => line(() => terminal.note(text, style)),
    status: (text) => {
      if (!isShown && !isMidRow) terminal.status(text);
    },
  };
  return {
    /** The terminal for whoever else writes on it meanwhile. */
    terminal: shared,
    settle,
    close: () => editor.close(),
  };
}

/** Up to the last space: where a line comes in between, no word is torn. */
function wholeWords(text: string): [ready: string, rest: string] {
  const word = text.search(/\S*$/);
  return text.length - word > longestWord ? [text, ''] : [text.slice(0, word), text.slice(word)];
}

/** The lines that are complete, and what fills a row. */
function wholeRows(text: string, width: number): [ready: string, rest: string] {
  const end = text.lastIndexOf('\n') + 1;
  let ready = text.slice(0, end);
  let rest = text.slice(end);
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const cut = space > 0 ? space : width;
    ready += `${rest.slice(0, cut)}\n`;
    rest = rest.slice(cut).trimStart();
  }
  return [ready, rest];
}
