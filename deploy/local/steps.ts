import { styleText } from 'node:util';

type Out = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;
type Line = { name: string; startedAt: number; detail: string };

export type Progress = (detail: string) => void;
export type Steps = ReturnType<typeof createSteps>;

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/**
 * Shows the progress of steps, several at a time. On a terminal the lines of running steps are redrawn; elsewhere each
 * step prints a line at its beginning and one at its end.
 */
export function createSteps(out: Out = process.stdout, animated = Boolean(out.isTTY) && !process.env.CI) {
  const running = new Set<Line>();
  let drawnLines = 0;
  let timer: NodeJS.Timeout | undefined;
  const seconds = (startedAt: number) => `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
  const erase = () => {
    if (drawnLines) out.write(`\x1b[${drawnLines}A\x1b[J`);
    drawnLines = 0;
  };
  const draw = () => {
    if (!animated) return;
    erase();
    const frame = frames[Math.floor(performance.now() / 100) % frames.length];
    for (const { name, startedAt, detail } of running) {
      out.write(
        `  ${styleText('cyan', `${frame}`)} ${name} ${styleText('dim', [seconds(startedAt), detail].filter(Boolean).join('  '))}\n`,
      );
    }
    drawnLines = running.size;
    clearTimeout(timer);
    if (running.size > 0) timer = setTimeout(draw, 100);
  };
  /** Prints whole lines above the lines of running steps. */
  const print = (text: string) => {
    erase();
    out.write(text.endsWith('\n') ? text : `${text}\n`);
    draw();
  };
  return {
    print,
    /** Removes the lines of running steps, for a message or a question. */
    clear: () => {
      clearTimeout(timer);
      running.clear();
      erase();
    },
    /**
     * Runs a step and shows its progress.
     *
     * @param work     receives a function that shows a detail while the step runs
     * @param detailOf makes the detail that is shown at the end
     */
    async run<T>(
      name: string,
      work: (progress: Progress) => Promise<T>,
      detailOf: (result: T) => string = () => '',
    ): Promise<T> {
      const line: Line = { name, startedAt: performance.now(), detail: '' };
      running.add(line);
      if (animated) draw();
      else print(`${name} ...`);
      try {
        const result = await work((detail) => {
          line.detail = detail;
          if (!animated) print(`${name}: ${detail}`);
        });
        // `clear` was called in the meantime: another message is shown now.
        if (!running.delete(line)) return result;
        const end = [seconds(line.startedAt), detailOf(result)].filter(Boolean).join('  ');
        print(animated ? `  ${styleText('green', '✔')} ${name} ${styleText('dim', end)}` : `${name} ready: ${end}`);
        return result;
      } catch (error) {
        if (running.delete(line))
          print(
            animated
              ? `  ${styleText('red', '✖')} ${name} ${styleText('dim', seconds(line.startedAt))}`
              : `${name} failed: ${seconds(line.startedAt)}`,
          );
        throw error;
      }
    },
  };
}
