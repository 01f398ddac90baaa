import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline';
import { Writable } from 'node:stream';

/** Readline's line editor, hidden at first, which can be hidden and shown again while other text is written. */
export function createLineEditor(input: NodeJS.ReadStream, screen: NodeJS.WriteStream) {
  let isShown = false;
  /** The row of the line in which the cursor was when the line was last drawn. */
  let drawnRow = 0;

  // Readline draws after each key. While the line is hidden, nothing of that may reach the screen.
  const output = new Writable({
    decodeStrings: false,
    write(text: string, _, done) {
      if (isShown) screen.write(text);
      done();
    },
  });
  Object.defineProperty(output, 'columns', { get: () => screen.columns });
  const editor = createInterface({ input, output, terminal: true, prompt: '> ' });

  return {
    editor,
    isShown: () => isShown,
    hide() {
      if (!isShown) return;
      moveCursor(screen, 0, -editor.getCursorPos().rows);
      cursorTo(screen, 0);
      clearScreenDown(screen);
      isShown = false;
    },
    show() {
      if (isShown) return;
      // Readline moves the cursor up by the rows of its last drawing, which miss what was pasted since. Drawing once
      // while hidden updates them.
      editor.prompt(true);
      isShown = true;
      drawnRow = editor.getCursorPos().rows;
      screen.write('\n'.repeat(drawnRow));
      editor.prompt(true);
    },
    /** Whether the shown line must be drawn again, because its cursor has moved to another row. */
    hasChangedRow() {
      const { rows, cols } = editor.getCursorPos();
      // Behind the last column (`cols` 0) the terminal's cursor is still in the row above.
      return isShown && rows !== drawnRow && cols > 0;
    },
    /** The line was submitted: it stays on the screen, and a new one is drawn by `show`. */
    markSubmitted() {
      isShown = false;
    },
    /** Deletes the text of the line, by the keys Ctrl-E and Ctrl-U. */
    clear() {
      editor.write(null, { ctrl: true, name: 'e' });
      editor.write(null, { ctrl: true, name: 'u' });
    },
  };
}
