import { z } from 'zod';

/** Whose a thing is, for those who may see it and may not read it. */
export const Owner = z
  .string()
  .optional()
  .describe(
    'Whose it is. Present only when it is not yours. Unless it is shared with you, everything that tells what is in it is empty then',
  );

/** Whose things a list has, where things can be shared. */
export const OfOwnOrShared = z
  .enum(['own', 'shared'])
  .optional()
  .describe('`shared`: those of others that are shared with you. Default: yours');

export const OfAll = z
  .enum(['own', 'shared', 'tenant'])
  .optional()
  .describe(
    '`shared`: those of others that are shared with you. `tenant`: those of everybody in your tenant, without what is in them, with the role viewer, operator or admin. Default: yours',
  );

/** Whose things a list has. */
export const Of = z
  .enum(['own', 'tenant'])
  .optional()
  .describe(
    '`tenant`: those of everybody in your tenant, without what is in them, with the role viewer, operator or admin. Default: yours',
  );
