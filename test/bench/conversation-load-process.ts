import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Stops } from './servers.ts';
import type { TalkEvent, TalkRound } from './conversation-load.ts';

export type Talked = Extract<TalkEvent, { type: 'talked' }>;

/** People who talk, in another process. */
export function startTalkers(stops: Stops) {
  const load = fork(fileURLToPath(new URL('./conversation-load.ts', import.meta.url)));
  stops.push(async () => load.kill());
  return {
    /** @param mark told how many answers have come */
    talk: (round: TalkRound, mark: (answered: number) => Promise<void> = async () => {}) =>
      new Promise<Talked>((resolve, reject) => {
        let marked = Promise.resolve();
        const take = (event: TalkEvent) => {
          if (event.type === 'mark') return void (marked = marked.then(() => mark(event.answered)));
          load.off('message', take).off('exit', broken);
          marked.then(() => resolve(event), reject);
        };
        const broken = () => reject(new Error('the process of those who talk has ended'));
        load.on('message', take).once('exit', broken).send(round);
      }),
  };
}
