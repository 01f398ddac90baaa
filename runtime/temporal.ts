import { readFile } from 'node:fs/promises';
import { Client, ServiceError, type ClientOptions } from '@temporalio/client';
import proto from '@temporalio/proto';
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import { searchAttributeTypes } from '../contract/search-attributes.ts';
import type { Config } from './config.ts';

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
  const [ca, crt, key] = await Promise.all(
    [config.TEMPORAL_TLS_SERVER_CA_FILE, config.TEMPORAL_TLS_CERT_FILE, config.TEMPORAL_TLS_KEY_FILE].map(read),
  );
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

/** Whether an error means that Temporal is unreachable or too busy, so that a retry can succeed. */
export function isTemporalUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const cause = (error instanceof ServiceError ? error.cause : error) as
    { code?: unknown; details?: unknown; message?: unknown } | undefined;
  if (typeof cause?.code !== 'number') return error.name === 'TransportError';
  // A connection that broke during the call is reported as UNKNOWN (2).
  const broken = cause.code === 2 && /transport error/.test(`${String(cause.details)} ${String(cause.message)}`);
  return broken || unavailableStatuses.has(cause.code);
}

/** Registers Alfred's search attributes. Idempotent. */
export async function registerSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.entries(searchAttributeTypes).filter(([name]) => !(name in customAttributes));
  if (missing.length === 0) return;
  const types = proto.temporal.api.enums.v1.IndexedValueType;
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, types[`INDEXED_VALUE_TYPE_${type}`]])),
  });
}
