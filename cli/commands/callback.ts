import type { Command } from 'commander';
import { CallbackState } from '../../contract/callback.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';

/** What has a callback: a task or an upload. */
type Owner = { path: (id: string) => string; description: string; argument: string };

/** Adds the command that shows the callback of a task or upload, and repeats it. */
export function addCallback(parent: Command, { api, terminal }: CommandContext, owner: Owner) {
  parent
    .command('callback')
    .description(owner.description)
    .argument(owner.argument)
    .option('--again', 'tell it once more')
    .option('--json', 'as JSON')
    .action(async (id: string, { again, json }: { again?: boolean; json?: boolean }) => {
      const state = await api.call(`${owner.path(encodeURIComponent(id))}/callback`, {
        method: again ? 'POST' : 'GET',
        answer: CallbackState,
      });
      if (json) return terminal.printJson(state);
      if (again) terminal.note('It is being delivered again.');
      terminal.print(
        table([
          ['to', state.url],
          ['state', state.state],
          [
            'delivery',
            `${formatCount(state.deliveries, 'delivery', 'deliveries')}, ${formatCount(state.attempts, 'attempt')}`,
          ],
          ...lineOf('last attempt', state.lastAttemptAt),
          ...lineOf('last status', state.lastStatus),
          ...lineOf('last error', state.lastError),
          ...lineOf('delivered', state.deliveredAt),
        ]),
      );
    });
}

const lineOf = (name: string, value: string | number | null) => (value === null ? [] : [[name, String(value)]]);
