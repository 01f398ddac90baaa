import type { ContactIngest } from '../../contract/contacts.ts';
import type { CommandContext } from '../command-context.ts';

/** How far an upload is, in a line. */
export function describeIngest({ id, status, lines, counts }: ContactIngest): string {
  const { added, merged, unchanged, rejected, pending } = counts;
  const parts = { added, merged, unchanged, rejected, ...(pending > 0 ? { pending } : {}) };
  const counted = Object.entries(parts).map(([what, count]) => `${count} ${what}`);
  return `${id} ${status}: ${lines} ${lines === 1 ? 'line' : 'lines'}, ${counted.join(', ')}`;
}

/** Says where rejected lines are. */
export function noteRejected({ id, counts }: ContactIngest, { terminal }: Pick<CommandContext, 'terminal'>) {
  if (counts.rejected > 0) terminal.note(`The rejected lines, with the reason: alfred contacts uploads rejected ${id}`);
}
