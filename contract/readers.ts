import { z } from 'zod';

/** Who may read something beside its owner: everyone of the tenant, a group, or one person or service. */
const Reader = z
  .string()
  .regex(
    /^(everyone|(group|subject):[^\s\u0000-\u001f\u007f](?:[^\u0000-\u001f\u007f]{0,198}[^\s\u0000-\u001f\u007f])?)$/,
    'expected everyone, group:<name> or subject:<id>',
  );

/** At most this many at once: name a group in place of many people. */
const mostReaders = 100;

export const Readers = z.array(Reader).max(mostReaders);

export const ReaderList = z.strictObject({
  readers: Readers.describe(
    'Who may read it beside its owner: everyone (of the tenant), group:<name>, subject:<id>; empty for no one',
  ),
});
export type ReaderList = z.infer<typeof ReaderList>;
