/** What a person thinks of an answer in Slack. */
export type FeedbackValue = 'useful' | 'not_useful';

export type NewSlackFeedback = {
  taskId: string;
  /** Of the task. */
  tenant: string;
  team: string;
  userId: string;
  /** Who the person is in Alfred. */
  subject: string;
  value: FeedbackValue;
  /** Undefined: a comment on the same value stays. Empty: none. */
  comment?: string | undefined;
  /** When it was received: what came later counts, also when it is stored first. */
  at: Date;
};

export interface SlackFeedback {
  /**
   * Stores what a person thinks of an answer, in place of what it thought before. A repeat changes nothing.
   *
   * @returns the comment that is stored, and whether the value is another one than before; `isLate`: the person has
   *   thought something since, and that stays. Undefined when the task's content was deleted: then nothing is stored
   */
  give(feedback: NewSlackFeedback): Promise<{ comment: string | null; isNew: boolean; isLate: boolean } | undefined>;
}
