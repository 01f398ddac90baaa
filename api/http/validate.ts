import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import type { Issue } from '../../contract/errors.ts';
import { plainMessage } from './plain-messages.ts';

/** A part of a request that does not fit the route's schema. Fastify adds which part it is. */
export class SchemaFault extends Error {
  validationContext?: string;
  readonly issues: Issue[];

  constructor(issues: Issue[]) {
    super('a part of the request does not fit');
    this.issues = issues;
  }
}

/** The faults that zod found, with their places. @param at where the value stands in the request */
export const issuesOf = ({ issues }: z.ZodError, at: string[] = []): Issue[] =>
  issues.map(({ path, message }) => ({ path: [...at, ...path].map(String).join('.'), message }));

/** Validates the parts of requests with the routes' zod schemas. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (data: unknown) => {
    const parsed = schema.safeParse(data, { error: plainMessage });
    return parsed.success ? { value: parsed.data } : { error: new SchemaFault(issuesOf(parsed.error)) };
  };
