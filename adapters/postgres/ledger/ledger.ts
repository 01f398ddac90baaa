import type { Database } from '../../../runtime/database/postgres.ts';
import type { Ledger } from '../../../contract/ports/index.ts';
import { createModelCalls } from './model-calls.ts';
import { createToolCalls } from './tool-calls.ts';
import { createUsage } from './usage.ts';

/** Model calls, receipts of tool calls, and reports of the usage. */
export const createLedger = (db: Database): Ledger => ({
  ...createModelCalls(db),
  ...createToolCalls(db),
  ...createUsage(db),
});
