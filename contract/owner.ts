import { z } from 'zod';

/** Whose a thing is, for those who may see it and may not read it. */
export const Owner = z
  .string()
  .optional()
  .describe('Whose it is. Present only when it is not yours; everything that tells what is in it is empty then');

/** Whose things a list has. */
export const Of = z
  .enum(['own', 'tenant'])
  .optional()
  .describe(
    '`tenant`: those of everybody in your tenant, without what is in them, with the role viewer, operator or admin. Default: yours',
  );
