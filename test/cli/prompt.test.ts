import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createPrompt } from '../../cli/chat/prompt.ts';
import { createTerminal } from '../../cli/terminal/terminal.ts';

let out = '';
let busy = true;
let lines: string[] = [];
let input: PassThrough;
let prompt: ReturnType<typeof createPrompt>;
beforeEach(() => {
  [out, busy, lines, input] = ['', true, [], new PassThrough()];
  const writable = new Writable({ decodeStrings: false, write: (text: string, _, done) => ((out += text), done()) });
  const screen = Object.assign(writable, { isTTY: true, columns: 80 }) as unknown as NodeJS.WriteStream;
  prompt = createPrompt({
    input: input as unknown as NodeJS.ReadStream,
    screen,
    terminal: createTerminal({ stdout: screen, stderr: screen }),
    isBusy: () => busy,
    onLine: (line) => lines.push(line),
    onInterrupt: () => lines.push('^C'),
    onClose: () => lines.push('^D'),
  });
  prompt.refresh();
});
afterEach(() => prompt.close());

/** Types, and waits until readline has handled it. */
async function type(text: string) {
  input.write(text);
  await new Promise((resolve) => setImmediate(resolve));
}
/** The rows that a terminal shows for the output. */
function rows(): string[] {
  const screen: string[] = [''];
  let [row, col] = [0, 0];
  for (const [piece, , count, command] of out.matchAll(/\u001b\[((\d*)([A-Za-z]))|\r|\n|[^]/g)) {
    const line = screen[row] ?? '';
    if (command === 'A') row -= Number(count);
    else if (command === 'G') col = Number(count) - 1;
    else if (command === 'J') {
      screen.splice(row + 1);
      screen[row] = line.slice(0, col);
    } else if (command === 'K') screen[row] = '';
    else if (piece === '\r') col = 0;
    else if (piece === '\n') [row, col] = [row + 1, 0];
    else if (command === undefined) {
      if (col === 80) [row, col] = [row + 1, 0];
      const at = screen[row] ?? '';
      screen[row] = at.slice(0, col).padEnd(col) + piece + at.slice(++col);
    }
  }
  return screen.map((line) => line.trimEnd());
}

test('while the line is empty, an answer streams word by word in its place', () => {
  prompt.terminal.write('You have thir');
  expect(rows()).toEqual(['You have']);
  prompt.terminal.write('ty days.\n');
  expect(rows()).toEqual(['You have thirty days.']);
});

test('a typed line stays intact below an answer that streams', async () => {
  prompt.terminal.write('You have thirty ');
  await type('And abr');
  prompt.terminal.write('calendar days.\nThat is');
  prompt.terminal.note('step 2');
  await type('oad?');
  expect(rows()).toEqual(['You have thirty', 'calendar days.', 'step 2', '> And abroad?']);
  await type('\r');
  expect(lines).toEqual(['And abroad?']);
  prompt.terminal.write(' all.\n');
  expect(rows().slice(-2)).toEqual(['> And abroad?', 'That is all.']);
});

test('a line of several rows that is pasted, edited and deleted leaves no remains', async () => {
  const long = 'word '.repeat(20).trim();
  await type(long);
  await type('\u001b[D\u001b[D');
  await type('X');
  prompt.terminal.write('Above.\n');
  expect(rows()).toEqual(['Above.', `> ${long.slice(0, 78)}`.trimEnd(), `${long.slice(78, -2)}X${long.slice(-2)}`]);
  await type('\u007f'.repeat(98) + '\u001b[3~'.repeat(2));
  expect(rows()).toEqual(['Above.', '']);
});

test('when no task runs the line is shown, and the first Ctrl-C empties it', async () => {
  busy = false;
  prompt.refresh();
  expect(rows()).toEqual(['>']);
  await type('oops');
  await type('\u0003');
  expect(rows()).toEqual(['>']);
  await type('\u0003');
  await type('\u0004');
  expect(lines).toEqual(['^C', '^D']);
});
