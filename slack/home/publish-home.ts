import { isRecord } from '../../contract/json.ts';
import type { Ledger, Tasks } from '../../contract/ports/index.ts';
import type { SlackPrincipals } from '../asking/slack-principals.ts';
import { readApprovals, type ApprovalDeps } from '../commands/approval-lines.ts';
import type { TaskAddress } from '../commands/describe-task.ts';
import type { CommandSender } from '../commands/task-commands.ts';
import { readUsage } from '../commands/usage-lines.ts';
import { homeView, refusedHome, type HomeContent } from './home-view.ts';

/** A person has opened the home tab. */
export type HomeVisit = { team: string; userId: string; channel: string };

/** Of each status. */
const mostTasks = 10;
const open = ['waiting', 'running', 'queued'] as const;

/** @returns undefined for a visit of another tab */
export function homeVisitIn(body: { team_id?: unknown; event?: unknown }): HomeVisit | undefined {
  const event = isRecord(body.event) ? body.event : {};
  const { user, channel, tab } = event;
  if (tab !== 'home' || typeof body.team_id !== 'string' || typeof user !== 'string') return undefined;
  return { team: body.team_id, userId: user, channel: typeof channel === 'string' ? channel : '' };
}

type Deps = ApprovalDeps & {
  principals: SlackPrincipals;
  tasks: Pick<Tasks, 'list'>;
  ledger: Pick<Ledger, 'reportUsage'>;
  addressOf: TaskAddress;
};

/** Shows a person its home tab as things stand now, with its own rights. */
export const createPublishHome = (deps: Deps) => async (visit: HomeVisit) => {
  const { team, userId, channel } = visit;
  const judged = await deps.principals.judge({ team, userId, channel, isDirect: true, isExternal: false });
  if ('ignored' in judged) return;
  const view =
    'refused' in judged
      ? refusedHome(judged.refused)
      : homeView(
          await readContent(deps, { principal: judged.principal, link: judged.link, team, userId }),
          deps.addressOf,
        );
  await deps.calls.call({
    team,
    method: 'views.publish',
    // The newest visit is shown last.
    order: `home:${team}:${userId}`,
    arguments: () => ({ user_id: userId, view }),
  });
};

async function readContent(deps: Deps, sender: CommandSender): Promise<HomeContent> {
  const { tasks, ledger } = deps;
  const { principal, link } = sender;
  const { tenant, subject } = principal;
  const now = new Date();
  const [waiting, usage, ...pages] = await Promise.all([
    readApprovals(deps, sender),
    readUsage(ledger, principal, now),
    ...open.map((status) => tasks.list({ tenant, subject }, { status, limit: mostTasks })),
  ]);
  const all = pages.flatMap((page) => page.tasks);
  return {
    subject,
    link,
    tasks: all.slice(0, mostTasks),
    hasMoreTasks: all.length > mostTasks || pages.some(({ nextCursor }) => nextCursor !== null),
    approvals: waiting,
    usage,
    now,
  };
}
