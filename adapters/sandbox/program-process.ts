import type { ProcessAnswer, ProgramJob } from './program-answer.ts';
import { openSandbox, runProgram } from './run-program.ts';
import { collectFiles, WrongOutput } from './collect-files.ts';

async function run(job: ProgramJob): Promise<ProcessAnswer> {
  const end = runProgram(await openSandbox(), job);
  if ('error' in end) return end;
  const { printed, result } = end;
  try {
    return { printed, result, files: await collectFiles(end) };
  } catch (error) {
    if (error instanceof WrongOutput) return { printed, error: error.message };
    throw error;
  }
}

// This file is the entry point of a child process, which runs one program: nothing of it stays for the next one.
process.on('message', (job: ProgramJob) => {
  void run(job)
    .catch((error: unknown): ProcessAnswer => ({ broken: error instanceof Error ? (error.stack ?? '') : 'unknown' }))
    .then((answer) => process.send?.(answer));
});
// The parent process has ended, so no one waits for the answer.
process.on('disconnect', () => process.exit());
