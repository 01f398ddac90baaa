// Runs in a process of its own: loads one pack and reports what it is, so that a pack which ends or hangs its process
// ends or hangs only this one.
import { describePack, type PackReport } from './describe-pack.ts';
import { PackFault } from './pack-fault.ts';

const report = await describePack(process.argv[2] ?? '').then(
  (description): PackReport => ({ description }),
  (error: unknown): PackReport => ({
    fault: error instanceof PackFault ? error.message : `it cannot be loaded: ${String(error)}`,
  }),
);
process.send?.(report, () => process.exit(0));
