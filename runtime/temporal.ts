import { readFile } from 'node:fs/promises';
import { Client, ServiceError, WorkflowUpdateRPCTimeoutOrCancelledError, type ClientOptions } from '@temporalio/client';
import proto from '@temporalio/proto';
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import { searchAttributeTypes } from '../contract/search-attributes.ts';
import type { Config } from './config.ts';
import { readSecretFile } from './secret-file.ts';

/** gRPC status codes of temporary failures: CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE. */
const unavailableStatuses = new Set([1, 4, 8, 14]);

type TemporalConfig = Pick<Config, `TEMPORAL_${string}` & keyof Config>;

/**
 * Opens the one native connection of a process. Its client and its workers share it, so that a workflow that is started
 * here can begin on a worker of the same process (eager workflow start).
 */
export async function connectTemporal(config: TemporalConfig): Promise<NativeConnection> {
  return NativeConnection.connect(await connectionOptions(config));
}

export const createClient = (connection: NativeConnection, config: TemporalConfig, options: ClientOptions = {}) =>
  new Client({ connection, namespace: config.TEMPORAL_NAMESPACE, ...options });

async function connectionOptions(config: TemporalConfig): Promise<NativeConnectionOptions> {
  const read = async (file: string | undefined) => (file ? readFile(file) : undefined);
  const { TEMPORAL_TLS_SERVER_CA_FILE: caFile, TEMPORAL_TLS_CERT_FILE: certFile } = config;
  const [ca, crt] = await Promise.all([caFile, certFile].map(read));
  const key = readKey(config.TEMPORAL_TLS_KEY_FILE);
  const tls = config.TEMPORAL_TLS || config.TEMPORAL_API_KEY || ca || crt;
  return {
    address: config.TEMPORAL_ADDRESS,
    ...(config.TEMPORAL_API_KEY ? { apiKey: config.TEMPORAL_API_KEY } : {}),
    ...(tls
      ? {
          tls: {
            ...(ca ? { serverRootCACertificate: ca } : {}),
            ...(crt && key ? { clientCertPair: { crt, key } } : {}),
          },
        }
      : {}),
  };
}

const readKey = (file: string | undefined) =>
  file ? Buffer.from(`${readSecretFile('TEMPORAL_TLS_KEY_FILE', file, 'the client key, as PEM')}\n`) : undefined;

/** Whether an error means that Temporal is unreachable or too busy, so that a retry can succeed. */
export function isTemporalUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // No worker answered an update in time, or the call for it broke.
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const cause = (error instanceof ServiceError ? error.cause : error) as
    { code?: unknown; details?: unknown; message?: unknown } | undefined;
  if (typeof cause?.code !== 'number') return error.name === 'TransportError';
  // A connection that broke during the call is reported as UNKNOWN (2).
  const text = `${String(cause.details)} ${String(cause.message)}`;
  const broken = cause.code === 2 && /transport error/.test(text);
  // FAILED_PRECONDITION (9) of an update whose workflow lost its worker: Temporal takes it once a worker has it again.
  const isBetweenWorkers = cause.code === 9 && /workflow task in failed state/i.test(text);
  return broken || isBetweenWorkers || unavailableStatuses.has(cause.code);
}

/**
 * Registers Alfred's search attributes. Idempotent.
 *
 * @returns what to create by hand, where Temporal does not even tell which of them there are
 * @throws Error that says what to create where Temporal does not let a client create them, as in Temporal Cloud
 */
export async function registerSearchAttributes(
  connection: Pick<NativeConnection, 'operatorService'>,
  namespace: string,
): Promise<string | undefined> {
  const refusal = (error: unknown): undefined => {
    if (!isForbidden(error)) throw error;
  };
  const listed = await connection.operatorService.listSearchAttributes({ namespace }).catch(refusal);
  if (!listed) return createByHand(namespace);
  const { customAttributes } = listed;
  const missing = Object.entries(searchAttributeTypes).filter(([name]) => !(name in customAttributes));
  if (missing.length === 0) return undefined;
  const types = proto.temporal.api.enums.v1.IndexedValueType;
  const added = await connection.operatorService
    .addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, types[`INDEXED_VALUE_TYPE_${type}`]])),
    })
    .catch(refusal);
  if (!added) throw new Error(createByHand(namespace));
  return undefined;
}

/** gRPC's PERMISSION_DENIED and UNIMPLEMENTED: this server leaves the operator's work to other tools. */
const forbiddenStatuses = [7, 12];

const isForbidden = (error: unknown) => forbiddenStatuses.includes((error as { code?: number }).code ?? -1);

/** What to create in Temporal Cloud, with its own command-line tool. */
const createByHand = (namespace: string) =>
  `Temporal does not let Alfred create search attributes in the namespace ${namespace}. In Temporal Cloud create them once: tcld namespace search-attributes add --namespace ${namespace} ${Object.entries(
    searchAttributeTypes,
  )
    .map(([name, type]) => `--search-attribute "${name}=${tcldType(type)}"`)
    .join(' ')}.`;

/** `KEYWORD_LIST` is `KeywordList` there. */
const tcldType = (type: string) =>
  type
    .toLowerCase()
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
