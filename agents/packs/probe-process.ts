// Runs in a process of its own: loads one pack and reports what it is, so that a pack which ends or hangs its process
// ends or hangs only this one.
import { setTimeout as sleep } from 'node:timers/promises';
import { describePack, type PackReport } from './describe-pack.ts';
import { PackFault } from './pack-fault.ts';

/** How long a pack is watched after it was loaded: what fails soon after that would end doors and workers. */
const watchedMs = 300;
/** Kinds of what keeps a process alive that every child process has. */
const ofEveryChild: readonly string[] = ['PipeWrap', 'TTYWrap', 'FSReqCallback', 'CloseReq'];

const report = await describePack(process.argv[2] ?? '').then(
  (description): PackReport => ({ description }),
  (error: unknown): PackReport => ({
    fault: error instanceof PackFault ? error.message : `it cannot be loaded: ${String(error)}`,
  }),
);
if ('description' in report) await sleep(watchedMs);
const left = process.getActiveResourcesInfo().filter((kind) => !ofEveryChild.includes(kind));
const fault = `a module of it leaves open what keeps a process alive (${[...new Set(left)].join(', ')}): open it in \`run\` of a tool`;
process.send?.('description' in report && left.length > 0 ? { fault } : report, () => process.exit(0));
