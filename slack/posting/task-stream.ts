import type { SlackPost } from '../../contract/ports/index.ts';
import { nextPiece } from '../rendering/next-piece.ts';
import { stepChunks } from '../rendering/step-chunks.ts';
import { emptyView, type TaskView } from '../rendering/task-view.ts';
import type { TaskFollower } from './follow-task.ts';
import type { PostMessages } from './post-messages.ts';

/** One append of a stream. */
const mostAppended = 8_000;

type Next = { chunks: unknown[]; append: string; view: TaskView };

/** What Slack shows of a task by a stream: text and steps that are appended. */
export function createTaskStream({ follower, messages, post }: Deps) {
  let shown: { text: string; view: TaskView } = { text: '', view: emptyView };

  /** What comes next; undefined when the text that is shown is void. */
  function next(): Next | undefined {
    const { text, view } = follower.current();
    const piece = nextPiece(text, shown.text, mostAppended);
    if (!piece) return undefined;
    const steps = stepChunks(shown.view, view);
    const chunks = piece.append === '' ? steps : [...steps, { type: 'markdown_text', text: piece.append }];
    return { chunks, append: piece.append, view };
  }

  /** @param send makes the call with the chunks that `takeChunks` gives at its time. @returns whether it was made */
  async function sendNext(send: (takeChunks: () => unknown[] | undefined) => Promise<object | undefined>) {
    let sent: Next | undefined;
    const answer = await send(() => {
      sent = next();
      return sent && sent.chunks.length > 0 ? sent.chunks : undefined;
    });
    if (!answer || !sent) return false;
    shown = { text: shown.text + sent.append, view: sent.view };
    return true;
  }

  const startArguments = (chunks: unknown[] | undefined) =>
    chunks && {
      thread_ts: post.threadTs,
      recipient_team_id: post.team,
      recipient_user_id: post.userId,
      chunks,
    };
  const appendArguments = (chunks: unknown[] | undefined) => chunks && { ts: messages.first()?.ts, chunks };

  return {
    next,
    /** Nothing is shown yet. */
    reset(): void {
      shown = { text: '', view: emptyView };
    },
    /** @returns whether the stream was begun */
    start: (stop: AbortSignal) =>
      sendNext((takeChunks) => messages.startStream({ signal: stop, arguments: () => startArguments(takeChunks()) })),
    append: (stop: AbortSignal) =>
      sendNext((takeChunks) =>
        messages.call('chat.appendStream', { signal: stop, arguments: () => appendArguments(takeChunks()) }),
      ),
  };
}

type Deps = { follower: TaskFollower; messages: PostMessages; post: SlackPost };
