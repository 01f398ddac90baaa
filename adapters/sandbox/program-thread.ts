import { parentPort, workerData } from 'node:worker_threads';
import type { ProgramJob, ThreadAnswer } from './program-answer.ts';
import { runProgram } from './run-program.ts';
import { collectFiles, WrongOutput } from './collect-files.ts';

// A thread runs one program: nothing of it stays for the next one.
parentPort?.postMessage(await run(workerData as ProgramJob));

async function run(job: ProgramJob): Promise<ThreadAnswer> {
  const end = await runProgram(job);
  if ('error' in end) return end;
  const { printed, result } = end;
  try {
    return { printed, result, files: await collectFiles(end) };
  } catch (error) {
    if (error instanceof WrongOutput) return { printed, error: error.message };
    throw error;
  }
}
