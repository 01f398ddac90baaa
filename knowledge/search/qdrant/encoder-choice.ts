import { AlfredError } from '../../../contract/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { localEncoder, serverEncoders, type Encoder } from './bm25.ts';
import { lexicalVector } from './collection.ts';
import type { Server } from './server.ts';

/**
 * Statuses of a server that cannot make BM25 vectors: it reports that the request is wrong, or that it lacks a part.
 */
const refusalStatuses = [400, 422, 500, 501];
const statusOf = ({ cause }: AlfredError) => (cause as { status?: number }).status ?? 0;

/** Chooses the encoder for BM25 vectors: the server's own when it has one. Asks the server once. */
export function createEncoderChoice(server: Server, log: Logger) {
  let choice: Promise<Encoder> | undefined;

  const choose = async (collection: string): Promise<Encoder> => {
    let reason = '';
    for (const encoder of serverEncoders) {
      const probe = { query: encoder.query(['probe']), using: lexicalVector, limit: 1 };
      try {
        await server.call((client) => client.query(collection, probe));
        return encoder;
      } catch (error) {
        if (!(error instanceof AlfredError) || !refusalStatuses.includes(statusOf(error))) throw error;
        reason = error.message;
      }
    }
    log.info({ reason }, 'Qdrant makes no BM25 vectors: they are made here');
    return localEncoder;
  };

  /** @param collection any collection of the server; the encoders are tried on it */
  return (collection: string): Promise<Encoder> => {
    choice ??= choose(collection).catch((error: unknown) => {
      choice = undefined;
      throw error;
    });
    return choice;
  };
}
