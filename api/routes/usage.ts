import { maxUsageDays, usageDays, UsageQuery, UsageReport, usageSpan } from '../../contract/usage.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { InvalidRequest } from '../../contract/errors.ts';
import { reachOf } from '../../contract/rules/policy.ts';
import { reachOfList } from '../http/identity.ts';
import { json, problems } from '../http/responses.ts';

export const usageRoutes =
  ({ ledger }: Pick<ApiDeps, 'ledger'>) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/usage',
      schema: {
        operationId: 'getUsage',
        tags: ['usage'],
        summary: 'Read what model calls cost',
        description: `Sums of the ledger of model calls, whole UTC days, at most ${maxUsageDays} of them. Calls under way are not in it. Yours, or with the role viewer, operator or admin those of the tenant.`,
        querystring: UsageQuery,
        response: { 200: json('The sums, and their total', UsageReport), ...problems('invalid_request') },
      },
      handler: async ({ scope, query }, reply) => {
        const span = usageSpan(query, new Date());
        const days = usageDays(span);
        if (days < 1) throw wrongSpan(`is before from (${span.from} to ${span.to})`);
        if (days > maxUsageDays)
          throw wrongSpan(`is ${days} days from ${span.from}; ask for ${maxUsageDays} at a time`);
        const reach = query.of === undefined ? reachOf(scope, 'see', 'usage') : reachOfList(scope, query.of, 'usage');
        return reply.send(await ledger.reportUsage(reach, span));
      },
    });
  };

const wrongSpan = (message: string) => new InvalidRequest([{ path: 'query.to', message }]);
