import { styleText } from 'node:util';

type Output = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;
type RunningStep = { name: string; startedAt: number; detail: string };

export type Progress = (detail: string) => void;
export type Steps = ReturnType<typeof createSteps>;

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/**
 * Shows the progress of steps, which may run at the same time. A terminal gets one animated line per running step.
 * Other outputs, and all outputs in CI, get a plain line when a step starts, reports a detail, and ends.
 */
export function createSteps(out: Output = process.stdout, animated = Boolean(out.isTTY) && !process.env.CI) {
  const runningSteps = new Set<RunningStep>();
  let drawnLines = 0;
  let timer: NodeJS.Timeout | undefined;
  const erase = () => {
    if (drawnLines) out.write(`\x1b[${drawnLines}A\x1b[J`);
    drawnLines = 0;
  };
  const draw = () => {
    if (!animated) return;
    erase();
    const frame = styleText('cyan', `${frames[Math.floor(performance.now() / 100) % frames.length]}`);
    for (const { name, startedAt, detail } of runningSteps)
      out.write(`${formatLine(frame, name, [elapsedText(startedAt), detail])}\n`);
    drawnLines = runningSteps.size;
    clearTimeout(timer);
    if (runningSteps.size > 0) timer = setTimeout(draw, 100);
  };
  /** Prints text above the lines of the running steps. Adds a line break when it has none. */
  const print = (text: string) => {
    erase();
    out.write(text.endsWith('\n') ? text : `${text}\n`);
    draw();
  };
  return {
    print,
    /**
     * Stops showing the running steps, so that a message or question can be printed. The steps themselves go on, and
     * their end is not printed.
     */
    stopShowing: () => {
      clearTimeout(timer);
      runningSteps.clear();
      erase();
    },
    /**
     * Runs a step and shows its progress.
     *
     * @param work      receives a function that shows a detail while the step runs
     * @param summaryOf makes the summary of the result that is shown at the end
     */
    async run<T>(
      name: string,
      work: (progress: Progress) => Promise<T>,
      summaryOf: (result: T) => string = () => '',
    ): Promise<T> {
      const step: RunningStep = { name, startedAt: performance.now(), detail: '' };
      runningSteps.add(step);
      if (animated) draw();
      else print(`${name} ...`);
      try {
        const result = await work((detail) => {
          step.detail = detail;
          if (!animated) print(`${name}: ${detail}`);
        });
        // `stopShowing` was called meanwhile: print nothing more about this step.
        if (!runningSteps.delete(step)) return result;
        const end = [elapsedText(step.startedAt), summaryOf(result)];
        print(animated ? formatLine(styleText('green', '✔'), name, end) : `${name} ready: ${joinDetails(end)}`);
        return result;
      } catch (error) {
        // Deleted already: `stopShowing` was called meanwhile. Print nothing more about this step.
        if (runningSteps.delete(step)) {
          const end = [elapsedText(step.startedAt)];
          print(animated ? formatLine(styleText('red', '✖'), name, end) : `${name} failed: ${joinDetails(end)}`);
        }
        throw error;
      }
    },
  };
}

const elapsedText = (startedAt: number) => `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;

const formatLine = (symbol: string, name: string, details: string[]) =>
  `  ${symbol} ${name} ${styleText('dim', joinDetails(details))}`;

const joinDetails = (details: string[]) => details.filter(Boolean).join('  ');
