import type { SlackInstallation, SlackInstallations } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Identity } from '../identify.ts';
import type { Poster } from '../posting/poster.ts';
import type { createProcessor } from '../processing/processor.ts';

type Processor = ReturnType<typeof createProcessor>;

/** How often a process asks which workspaces have installed Alfred, and are let in. */
const refreshMs = 5_000;

type Deps = {
  /** Who Alfred is in the workspace of the bot token. Absent: there is no such token. */
  own: Promise<Identity> | undefined;
  /** Slack refuses the bot token, so that it is of no workspace. */
  isOwnRefused: () => boolean;
  /** Absent: Alfred is only in the workspace of its bot token. */
  installations: Pick<SlackInstallations, 'list'> | undefined;
  isOwn: (team: string) => boolean;
  openProcessor: (identity: Promise<Identity>) => Processor;
  /** Of what comes from workspaces that are not let in. */
  openRefuser: () => Processor;
  openPoster: () => Poster;
  log: Pick<Logger, 'info' | 'warn'>;
};

/** Of one workspace: its stored deliveries and its answers. None waits for those of another one. */
type Served = { identity: Pick<Identity, 'botId' | 'botUserId'>; processor: Processor; poster: Poster };

export type ServedWorkspaces = ReturnType<typeof serveWorkspaces>;

const isSame = ({ identity }: Served, { botId, botUserId }: SlackInstallation) =>
  identity.botId === botId && identity.botUserId === botUserId;

/**
 * Works for each workspace that Alfred is let into: processes what is stored of it, and shows its answers. They come
 * and go while the process runs. Anyone can install Alfred, so one processor does for all that are not let in.
 */
export function serveWorkspaces({ own, installations, isOwn, openProcessor, openPoster, log, ...deps }: Deps) {
  const ofOwn = own && { processor: openProcessor(own), poster: openPoster() };
  const served = new Map<string, Served>();
  const refuser = installations && deps.openRefuser();
  let notLetIn: string[] = [];
  let graceMs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let refreshing = Promise.resolve();
  let ownTeam: string | undefined;
  /** The installations were read. */
  let isKnown = installations === undefined;

  function begin({ team, name, botId, botUserId }: SlackInstallation): void {
    const identity = { botId, botUserId, team, workspace: name };
    const one: Served = { identity, processor: openProcessor(Promise.resolve(identity)), poster: openPoster() };
    served.set(team, one);
    one.processor.start(() => [team]);
    one.poster.start(team);
    log.info({ team }, 'Alfred is let into a workspace');
  }

  async function end(team: string, { processor, poster }: Served): Promise<void> {
    served.delete(team);
    await Promise.all([processor.stop(0), poster.stop()]);
  }

  async function readInstallations(from: Pick<SlackInstallations, 'list'>): Promise<void> {
    const others = (await from.list()).filter(({ team }) => !isOwn(team));
    const allowed = new Map(others.filter(({ state }) => state === 'allowed').map((row) => [row.team, row]));
    for (const [team, one] of served) {
      const row = allowed.get(team);
      if (!row || !isSame(one, row)) await end(team, one);
    }
    if (graceMs !== undefined) return;
    for (const row of allowed.values()) if (!served.has(row.team)) begin(row);
    notLetIn = others.filter(({ state }) => state !== 'allowed').map(({ team }) => team);
  }

  function refresh(): Promise<void> {
    refreshing = refreshing.then(async () => {
      if (!installations || graceMs !== undefined) return;
      // One of them may be the workspace of the bot token, which has another tenant.
      if (own && ownTeam === undefined && !deps.isOwnRefused()) return;
      try {
        await readInstallations(installations);
        isKnown = true;
      } catch (error) {
        log.warn({ err: error }, 'the installed workspaces could not be read; they are read again soon');
      }
    });
    return refreshing;
  }

  return {
    /** Begins with the workspaces that have installed Alfred. */
    start(): void {
      if (installations) timer = setInterval(() => void refresh(), refreshMs);
      refuser?.start(() => notLetIn);
      void refresh();
    },
    /** Begins with the workspace of the bot token: Slack has answered which one that is. */
    async startOwn(team: string): Promise<void> {
      ownTeam = team;
      // It may have installed Alfred too.
      await refresh();
      ofOwn?.processor.start(() => [team]);
      ofOwn?.poster.start(team);
    },
    refresh,

    /** Whose deliveries are processed; none before all of them are known. */
    teams(): string[] {
      if (!isKnown || (own && ownTeam === undefined)) return [];
      return [...served.keys(), ...notLetIn, ...(ownTeam === undefined ? [] : [ownTeam])];
    },

    /** A delivery of the workspace is stored. */
    wakeProcessor(team: string): void {
      if (isOwn(team)) ofOwn?.processor.wake();
      else (served.get(team)?.processor ?? refuser)?.wake();
    },
    /** An answer is there to be shown. */
    wakePosters(): void {
      for (const { poster } of served.values()) poster.wake();
      ofOwn?.poster.wake();
    },

    /** Takes nothing more from now on, finishes what it has begun, and gives back what it cannot finish in time. */
    async stop(withinMs: number): Promise<void> {
      graceMs = withinMs;
      clearInterval(timer);
      const all = [...served.values(), ...(ofOwn ? [ofOwn] : [])];
      const stopped = all.flatMap(({ processor, poster }) => [processor.stop(withinMs), poster.stop()]);
      await Promise.all([...stopped, refuser?.stop(withinMs), refreshing]);
    },
  };
}
