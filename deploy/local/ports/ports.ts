import { createServer, type AddressInfo } from 'node:net';
import type { PortClaims } from './port-claims.ts';
import { StepFailure } from '../step-failure.ts';

/** Whether the loopback port is free now. */
export async function isFree(port: number): Promise<boolean> {
  return (await listen(port).catch(() => undefined)) !== undefined;
}

/** Finds a free loopback port. Another program may take it before it is used. */
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

type PortRequest = {
  /** What listens there, for people. */
  service: string;
  variable: string;
  /** The port that the person set. It is used or refused, never moved. */
  explicit: number | undefined;
  /** The port of the last run, preferred so that links stay valid. */
  last: number | undefined;
  usual: number;
};

/**
 * Chooses a loopback port: the one that the person set, else that of the last run, the default one, or the next free
 * one.
 *
 * @param claims keeps other stacks and other services of this stack from choosing the same port
 * @throws StepFailure when the port that the person set is taken
 */
export async function choosePort(
  { service, variable, explicit, last, usual }: PortRequest,
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
