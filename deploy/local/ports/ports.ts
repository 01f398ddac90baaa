import { createServer, type AddressInfo } from 'node:net';
import type { PortClaims } from './port-claims.ts';
import { StepFailure } from '../step-failure.ts';

/** Whether something could listen on this loopback port now. */
export async function isFree(port: number): Promise<boolean> {
  return (await listen(port).catch(() => undefined)) !== undefined;
}

/** A port that was free a moment ago. */
export const freePort = () => listen(0);

function listen(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const { port: taken } = server.address() as AddressInfo;
      server.close(() => resolve(taken));
    });
  });
}

type Wish = {
  /** What listens there, for people. */
  service: string;
  variable: string;
  /** Set by the person; never moved. */
  explicit: number | undefined;
  /** That of the last run, so that links stay good. */
  last: number | undefined;
  usual: number;
};

/**
 * Chooses a loopback port: the one that was asked for, or else that of the last run, the usual one, or the next free.
 *
 * @param claims keeps other stacks, and the other services of this one, from the same choice
 * @throws StepFailure when the one that was asked for is taken
 */
export async function choosePort(
  { service, variable, explicit, last, usual }: Wish,
  claims: PortClaims,
): Promise<number> {
  const usable = async (port: number) => (await isFree(port)) && claims.claim(port);
  if (explicit !== undefined) {
    if (await usable(explicit)) return explicit;
    throw new StepFailure(
      `Port ${explicit} on 127.0.0.1 is taken, and ${variable}=${explicit} asks for it for ${service}.`,
      [
        `end what listens there (lsof -i :${explicit}), set ${variable} to a free port, or leave it unset to get the next free one`,
      ],
    );
  }
  if (last !== undefined && (await usable(last))) return last;
  for (let port = usual; port < usual + 200; port++) if (await usable(port)) return port;
  throw new StepFailure(`No port between ${usual} and ${usual + 199} is free on 127.0.0.1 for ${service}.`, [
    `set ${variable} to a free port`,
  ]);
}
