import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ConversationRound, LoadEvent } from './conversation-load.ts';
import type { Cleanups } from './servers.ts';

export type RoundResult = Extract<LoadEvent, { type: 'done' }>;

/** Starts conversation-load.ts in another process. */
export function startConversationLoad(cleanups: Cleanups) {
  const load = fork(fileURLToPath(new URL('./conversation-load.ts', import.meta.url)));
  cleanups.push(async () => load.kill());
  return {
    /** @param onMark called after every `markEvery` answers, one call at a time, with the number of answers */
    runRound: (round: ConversationRound, onMark: (answered: number) => Promise<void> = async () => {}) =>
      new Promise<RoundResult>((resolve, reject) => {
        let marks = Promise.resolve();
        const handle = (event: LoadEvent) => {
          if (event.type === 'mark') {
            marks = marks.then(() => onMark(event.answered));
            return;
          }
          load.off('message', handle).off('exit', fail);
          marks.then(() => resolve(event), reject);
        };
        const fail = () => reject(new Error('the process of the load has ended'));
        load.on('message', handle).once('exit', fail).send(round);
      }),
  };
}
