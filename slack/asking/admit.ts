import type { RequestLimits } from '../../contract/ports/index.ts';
import type { Scope } from '../../contract/references.ts';
import { explainExceeded, type CostlyKind } from '../../contract/rules/request-limits.ts';
import type { Metrics } from '../../runtime/metrics.ts';

type Deps = {
  limits: Pick<RequestLimits, 'takeOfPrincipal' | 'takeCostly'>;
  metrics: Pick<Metrics, 'requestsLimited'>;
};

/** @returns why a person has to wait, in a sentence for them; undefined when they need not */
export type Admit = (person: Scope, kinds?: readonly CostlyKind[]) => Promise<string | undefined>;

/** Counts what a person asks of Alfred in Slack, with what the same person asks over HTTP. */
export const createAdmit =
  ({ limits, metrics }: Deps): Admit =>
  async ({ tenant, subject }, kinds = []) => {
    const person = { tenant, subject };
    const quotas = limits.takeOfPrincipal(person);
    for (const kind of kinds)
      if (!quotas.some(({ isExceeded }) => isExceeded)) quotas.push(...(await limits.takeCostly(person, kind)));
    const exceeded = quotas.find(({ isExceeded }) => isExceeded);
    if (!exceeded) return undefined;
    metrics.requestsLimited.inc({ limit: exceeded.limit });
    return `I did not take this. ${explainExceeded(exceeded).message}`;
  };
