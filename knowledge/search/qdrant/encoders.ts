import { AlfredError } from '../../../contract/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { localEncoder, serverEncoders, type Encoder } from './bm25.ts';
import { lexicalVector } from './collection.ts';
import type { Server } from './server.ts';

const refusals = [400, 422, 500, 501];
const statusOf = ({ cause }: AlfredError) => (cause as { status?: number }).status ?? 0;

/** Finds out, once, whether the server makes BM25 vectors itself. */
export function createEncoders(server: Server, log: Logger) {
  let chosen: Promise<Encoder> | undefined;

  const choose = async (collection: string): Promise<Encoder> => {
    let reason = '';
    for (const encoder of serverEncoders) {
      const probe = { query: encoder.query(['probe']), using: lexicalVector, limit: 1 };
      try {
        await server.ask((client) => client.query(collection, probe));
        return encoder;
      } catch (error) {
        // A server without says that the request is wrong, or that something of its own is missing.
        if (!(error instanceof AlfredError) || !refusals.includes(statusOf(error))) throw error;
        reason = error.message;
      }
    }
    log.info({ reason }, 'Qdrant makes no BM25 vectors: they are made here');
    return localEncoder;
  };

  return {
    chosen: (collection: string): Promise<Encoder> =>
      (chosen ??= choose(collection).catch((error: unknown) => {
        chosen = undefined;
        throw error;
      })),
  };
}
