import type { Ingestion } from '../../contract/documents.ts';
import { sumCounts } from '../client/follow-ingestions.ts';
import type { RefusedFile } from '../client/upload.ts';
import { exitCodes } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount } from '../terminal/format.ts';
import type { Terminal } from '../terminal/terminal.ts';

/**
 * Prints what became of uploads that have ended, with every file that was not read.
 *
 * @param refused files that never became part of an upload
 * @returns the exit code: 1 when a file was not read
 */
export function printUploads(
  ended: Ingestion[],
  refused: RefusedFile[],
  { json }: { json?: boolean },
  { terminal }: Pick<CommandContext, 'terminal'>,
): number {
  const { added, replaced, unchanged, failed, pending } = sumCounts(ended);
  terminal.clearStatus();
  if (json) terminal.printJson({ ingestions: ended, refused });
  else
    terminal.print(`${added} added, ${replaced} replaced, ${unchanged} unchanged, ${failed + refused.length} failed`);
  const failures = [
    ...refused,
    ...ended.flatMap((one) =>
      one.failures.map(({ name, error }) => ({ name, message: error?.message ?? 'could not be read' })),
    ),
  ];
  for (const { name, message } of failures)
    terminal.note(`  ${message.startsWith(name) ? message : `${name}: ${message}`}`);
  for (const { id, retryOf } of ended.filter(({ counts }) => counts.failed + counts.pending > 0))
    terminal.note(
      `Try again what was not read, once its cause is gone: alfred documents retry ${retryOf ?? id}`,
      'dim',
    );
  for (const { status, links } of ended.filter(({ status }) => status !== 'completed'))
    terminal.note(`An upload ended as ${status}; see ${links.temporal}`);
  if (pending > 0) terminal.note(`Still waiting when their upload ended: ${formatCount(pending, 'file')}.`);
  noteSameContent(ended, terminal);
  const isWhole = failed + pending + refused.length === 0 && ended.every(({ status }) => status === 'completed');
  return isWhole ? exitCodes.ok : exitCodes.failed;
}

/** The most pairs of names that are shown. */
const maxPairs = 5;

/** Says which files were added although their content is there under another name, as after a change of names. */
function noteSameContent(ended: Ingestion[], terminal: Terminal) {
  const pairs = ended.flatMap(({ sameContent }) => sameContent);
  if (pairs.length === 0) return;
  terminal.note('The same content is there under another name too:');
  for (const { name, as } of pairs.slice(0, maxPairs)) terminal.note(`  ${name} = ${as}`);
  if (pairs.length > maxPairs) terminal.note('  …');
  terminal.note('Remove the one that you do not need: alfred documents remove <name>', 'dim');
}
