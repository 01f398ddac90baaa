import type { SeenMessage } from '../fake/seen.ts';
import type { Channel } from '../fake/types.ts';
import { createShowBlocks } from './blocks.ts';
import { showMrkdwn } from './mrkdwn.ts';
import { element, type Shown } from './shown.ts';
import type { Trial } from './trial.ts';

export type PageMessage = {
  ts: string;
  name: string;
  fromApp: boolean;
  thread: string | undefined;
  isStreaming: boolean;
  isEdited: boolean;
  /** Only this person sees it. */
  isPrivate: boolean;
  reactions: string[];
  body: Shown[];
};
export type PageThread = { ts: string; status: string | undefined; canStop: boolean };
export type PageChannel = {
  id: string;
  name: string;
  kind: Channel['kind'];
  /** What the app suggests to ask in an empty conversation. */
  prompts: { title: string; message: string }[];
  messages: PageMessage[];
  /** Threads in which the app works. */
  threads: PageThread[];
};
/** What is not in a channel. */
export type PagePerson = {
  home: Shown[] | undefined;
  modal: { title: string; submit: string | undefined; body: Shown[] } | undefined;
};

/** What a person sees of the trial, as the page shows it. */
export function createPersonView({ slack, people, channels }: Trial) {
  const names = (id: string): string | undefined =>
    id === slack.workspace.botUserId
      ? slack.app.name
      : (people.find((person) => person.id === id)?.name ?? channels.find((channel) => channel.id === id)?.name);
  const showBlocks = createShowBlocks(names);
  /** Parsed once for each content: what a person sees is asked for again and again. */
  const bodies = new Map<string, { source: string; body: Shown[] }>();

  function bodyOf(channel: string, { ts, text, blocks, files, fileIds }: SeenMessage): Shown[] {
    const source = JSON.stringify([text, blocks, files]);
    const known = bodies.get(`${channel}:${ts}`);
    if (known?.source === source) return known.body;
    const body = [
      ...(blocks.length > 0 ? showBlocks(blocks) : showMrkdwn(text, names)),
      ...files.map((name, index) => element('a', [`[file: ${name}]`], { href: `/files/${fileIds[index]}` })),
    ];
    bodies.set(`${channel}:${ts}`, { source, body });
    return body;
  }

  const toMessage = (channel: string, message: SeenMessage): PageMessage => ({
    ts: message.ts,
    name: message.fromApp ? slack.app.name : message.name,
    fromApp: message.fromApp,
    thread: message.threadTs,
    isStreaming: message.streaming === 'in_progress',
    isEdited: message.edited,
    isPrivate: message.ephemeral,
    reactions: Object.entries(message.reactions).map(([name, count]) => `:${name}: ${count}`),
    body: bodyOf(channel, message),
  });

  return {
    people: people.map(({ id, name, realName }) => ({ id, name, realName })),
    channelsOf: (person: string): Channel[] => channels.filter(({ members }) => members.has(person)),

    channel({ id, name, kind }: Channel, person: string): PageChannel {
      const seen = slack.viewAll(id, { as: person });
      const threads = new Set(seen.map(({ ts, threadTs }) => threadTs ?? ts));
      return {
        id,
        name: kind === 'im' ? slack.app.name : name,
        kind,
        prompts: slack.prompts(id)?.prompts ?? [],
        messages: seen.map((message) => toMessage(id, message)),
        threads: [...threads].flatMap((ts) => {
          const status = slack.status(id, ts);
          const isStreaming = seen.some(({ threadTs, streaming }) => threadTs === ts && streaming === 'in_progress');
          const isAtWork = isStreaming || status !== undefined || slack.session(id, ts)?.status === 'processing';
          return isAtWork ? [{ ts, status, canStop: slack.app.events.has('agent_session_stopped') }] : [];
        }),
      };
    },

    person(person: string): PagePerson {
      const home = slack.home(person);
      const modal = slack.modal(person);
      return {
        home: home && showBlocks(home.blocks),
        modal: modal && {
          title: modal.title,
          submit: modal.submit,
          body: showBlocks(modal.blocks),
        },
      };
    },
  };
}
export type PersonView = ReturnType<typeof createPersonView>;
