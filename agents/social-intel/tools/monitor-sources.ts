import { createHash } from 'node:crypto';
import type { Social, SocialItem, SocialWatches, ToolContext } from '../../../contract/ports/index.ts';
import { typedTool } from '../../tools/typed-tool.ts';
import { Monitor } from '../intents.ts';
import { checkAsked, gather, placesOf, type Gathered, type Place } from './gather.ts';
import { answerOf, counted, itemData, itemLine, itemsFile, notOurs, plain, sourceLines } from './present.ts';

const shown = 20;
const kept = 50;
/** How far back a monitor looks: longer than any usual pause between two runs. */
const windowMs = 30 * 86_400_000;
/** A source that has failed so many runs in a row is reported, once. */
const reportedFailures = 3;

/** Reports what is new since the last look of a monitor. */
export const monitorSourcesTool = (
  { social, watches }: { social: Social; watches: SocialWatches },
  now: () => number = Date.now,
) =>
  typedTool({
    name: 'monitor_sources',
    description:
      'Looks for what is new about a topic, in feeds or in a subreddit since the last look of the monitor with this name. The first look is the baseline. For schedules: when nothing is new, nothing is posted.',
    answers: true,
    input: Monitor,
    check: checkAsked,
    async run({ name, ...asked }, { scope, taskId, signal }) {
      const owner = { ...scope, taskId };
      const places = placesOf(social, asked);
      const since = new Date(now() - windowMs).toISOString();
      const gathered = await gather(social, places, { since, signal });
      const fresh: SocialItem[] = [];
      const baselines: string[] = [];
      for (const { place, items } of gathered.read) {
        const seen = await watches.see(
          owner,
          watchOf(name, place),
          items.map(({ id }) => id),
        );
        if (seen.isBaseline) baselines.push(`- ${place.name}: ${counted(items.length)} known from now on`);
        else fresh.push(...items.filter(({ id }) => seen.fresh.includes(id)));
      }
      const broken = await failuresOf(watches, { owner, name, failed: gathered.failed });
      const isQuiet = fresh.length === 0 && baselines.length === 0 && broken.length === 0;
      const lines = fresh.slice(0, shown).map((item) => `- ${itemLine(item)}`);
      const answer = answerOf(
        [
          [headline(name, { fresh: fresh.length, isBaseline: baselines.length > 0 })],
          // Before the items, whose lines may take all the room.
          broken,
          lines,
          fresh.length > shown ? [`… and ${fresh.length - shown} more, in the file.`] : [],
          baselines.length > 0 ? ['This is the first run. The next one reports what is new:', ...baselines] : [],
          ['Sources:', ...sourceLines(gathered)],
          fresh.length > 0 ? [notOurs] : [],
        ],
        { isInFile: fresh.length > 0 },
      );
      return {
        output: {
          answer,
          data: {
            monitor: name,
            new: fresh.slice(0, kept).map(itemData),
            count: fresh.length,
            isBaseline: baselines.length > 0,
            notes: gathered.notes,
          },
          ...(isQuiet ? { quiet: true } : {}),
        },
        summary: isQuiet ? 'nothing new' : `new: ${counted(fresh.length)}`,
        // The answer may have no room for all of it, and what is new is reported once.
        ...(fresh.length > 0
          ? {
              artifacts: [
                itemsFile(
                  'new.csv',
                  fresh.map((item) => ({ item })),
                ),
              ],
            }
          : {}),
      };
    },
  });

type Owner = ToolContext['scope'] & { taskId: string };

async function failuresOf(
  watches: SocialWatches,
  { owner, name, failed }: { owner: Owner; name: string; failed: Gathered['failed'] },
): Promise<string[]> {
  const lines: string[] = [];
  for (const { place, error } of failed) {
    const failures = await watches.noteFailure(owner, watchOf(name, place));
    if (failures === reportedFailures)
      lines.push(`${place.name} could not be read ${failures} times in a row: ${plain(error.message)}`);
  }
  return lines;
}

/** Under what the rows of a monitor stand: a hash, because the address of a feed may hold a secret. */
const watchOf = (name: string, { key }: Place): string =>
  createHash('sha256')
    .update(JSON.stringify([name, key]))
    .digest('base64url');

function headline(name: string, { fresh, isBaseline }: { fresh: number; isBaseline: boolean }): string {
  if (fresh === 0) return `**${plain(name)}**: ${isBaseline ? 'watched from now on' : 'nothing new'}.`;
  return `**${plain(name)}**: ${fresh === 1 ? '1 new item' : `${fresh} new items`}`;
}
