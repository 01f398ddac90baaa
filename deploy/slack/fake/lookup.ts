import type { State } from './state.ts';
import type { Channel, Message, User } from './types.ts';

export type Ref = string | { id: string };

/** Names one message. */
export type MessageRef = { channel: string; ts: string };

export const idOf = (ref: Ref): string => (typeof ref === 'string' ? ref : ref.id);

export type Lookup = ReturnType<typeof createLookup>;

/** Finds what people act on, and throws where there is nothing or where the person does not see it. */
export function createLookup(state: State) {
  const user = (ref: Ref): User => {
    const found = state.users.get(idOf(ref));
    if (!found) throw new Error(`The fake Slack has no user ${idOf(ref)}.`);
    return found;
  };
  const channel = (ref: Ref): Channel => {
    const found = state.channels.get(idOf(ref));
    if (!found) throw new Error(`The fake Slack has no channel ${idOf(ref)}.`);
    return found;
  };
  const channelOf = (ref: Ref, person: User): Channel => {
    const found = channel(ref);
    if (!found.members.has(person.id)) throw new Error(`${person.name} is not in channel ${found.id}.`);
    return found;
  };
  const message = (ref: MessageRef, person: User): Message => {
    channelOf(ref.channel, person);
    const found = state.message(ref.channel, ref.ts);
    if (!found) throw new Error(`Channel ${ref.channel} has no message ${ref.ts}.`);
    if (found.hidden || (found.ephemeralTo !== undefined && found.ephemeralTo !== person.id))
      throw new Error(`${person.name} does not see message ${ref.ts}.`);
    return found;
  };
  return { user, channel, channelOf, message };
}
