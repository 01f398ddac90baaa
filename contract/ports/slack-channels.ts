/** A channel, for the people of a tenant: with another tenant of its workspace it is another one. */
type SlackChannelRef = { tenant: string; team: string; channel: string };

/** How Alfred is set up in a channel of Slack. */
export type SlackChannelSettings = {
  isOn: boolean;
  /** Answers in new threads. Null: the one that answers everywhere. */
  agent: string | null;
  /** The Slack users who may ask. Null: everyone. */
  userIds: string[] | null;
  /** What new threads add to the instructions of their agent. */
  instructions: string | null;
};

export interface SlackChannels {
  /** @returns how it is everywhere, when nothing was changed there */
  find(channel: SlackChannelRef): Promise<SlackChannelSettings>;
  /** What is left out stays. @param by the subject that changes it */
  change(channel: SlackChannelRef, change: Partial<SlackChannelSettings>, by: string): Promise<void>;
  /** From then on it is as everywhere. */
  reset(channel: SlackChannelRef): Promise<void>;
}
