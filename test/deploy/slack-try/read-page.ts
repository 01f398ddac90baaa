import { createParser } from 'eventsource-parser';
import type { PageChannel, PagePerson } from '../../../deploy/slack/try/person-view.ts';
import { until } from '../../support/until.ts';

/** Follows the page of a trial as its JavaScript does. */
export async function openPage(url: string, as = '') {
  const stopping = new AbortController();
  const response = await fetch(`${url}/events?as=${as}`, { signal: stopping.signal });
  const channels = new Map<string, PageChannel>();
  const state: { people: { id: string; name: string }[]; as: string; person: PagePerson | undefined } = {
    people: [],
    as: '',
    person: undefined,
  };
  const parser = createParser({
    onEvent({ event, data }) {
      const value = JSON.parse(data);
      if (event === 'start') Object.assign(state, value);
      else if (event === 'channel') channels.set(value.id, value);
      else state.person = value;
    },
  });
  const read = async () => {
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) parser.feed(text);
  };
  const done = read().catch(() => undefined);
  await until('the page has all', () => state.person !== undefined);
  return {
    state,
    response,
    channels: () => [...channels.values()],
    channel: (name: string, kind?: string) =>
      [...channels.values()].find((channel) => channel.name === name && (kind === undefined || channel.kind === kind))!,
    /** @returns what the page would show as a notice */
    async act(what: object): Promise<string> {
      const answer = await fetch(`${url}/act`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: url },
        body: JSON.stringify({ as: state.as, ...what }),
      });
      return answer.text();
    },
    async close() {
      stopping.abort();
      await done;
    },
  };
}
export type Page = Awaited<ReturnType<typeof openPage>>;

/** All words of a message. */
export const wordsOf = (value: unknown): string => JSON.stringify(value);
