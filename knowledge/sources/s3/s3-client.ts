import type { S3Client } from '@aws-sdk/client-s3';
import { AlfredError } from '../../../contract/errors.ts';
import type { Config } from '../../../runtime/config.ts';

export type S3Config = Pick<Config, 'S3_ACCESS_KEY_ID' | 'S3_ENDPOINT' | 'S3_REGION' | 'S3_SECRET_ACCESS_KEY'>;

/** In milliseconds. */
const connectionTimeout = 10_000;
const requestTimeout = 60_000;

export type S3 = { sdk: typeof import('@aws-sdk/client-s3'); client: S3Client };

/** Loads the SDK here, because most processes have no S3 source. */
export async function openS3(config: S3Config): Promise<S3> {
  const sdk = await import('@aws-sdk/client-s3');
  const { S3_ENDPOINT: endpoint, S3_REGION: region } = config;
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = config;
  const client = new sdk.S3Client({
    region,
    // Only AWS has a host for each bucket. For other servers the bucket is part of the path.
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(accessKeyId !== undefined && secretAccessKey !== undefined
      ? { credentials: { accessKeyId, secretAccessKey } }
      : {}),
    // Retries belong to Temporal.
    maxAttempts: 1,
    // Not every server supports the checksums that AWS has added.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout, requestTimeout },
  });
  return { sdk, client };
}

export const statusOf = (error: unknown) =>
  (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode;

/** Maps an error of the SDK to an error code. */
export function s3Error(cause: unknown, bucket: string): AlfredError {
  if (cause instanceof AlfredError) return cause;
  const { name = '' } = cause as { name?: string };
  const status = statusOf(cause);
  const problem = (
    code: 'source_refused' | 'source_unconfigured' | 'source_unreachable' | 'source_unreadable',
    message: string,
  ) => new AlfredError(code, message, { cause });
  if (name === 'CredentialsProviderError')
    return problem(
      'source_unconfigured',
      'Alfred has no credentials for S3. Who runs it sets S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or gives the worker a role.',
    );
  if (status === 301 || name === 'AuthorizationHeaderMalformed')
    return problem('source_refused', `The bucket ${bucket} is in another region. Who runs Alfred sets S3_REGION.`);
  if (status === 401 || status === 403)
    return problem('source_refused', `Alfred’s credentials may not read this in the bucket ${bucket} (${name}).`);
  if (status === 404) return problem('source_unreadable', `There is no bucket ${bucket}.`);
  return problem(
    'source_unreachable',
    `The server of the bucket ${bucket} did not answer as it should (${status ?? name}).`,
  );
}
