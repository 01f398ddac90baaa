import fc from 'fast-check';
import type { Purpose } from '../../../contract/ports/index.ts';
import type { Usage } from '../../../contract/references.ts';
import { usageOf } from './ledger-harness.ts';

export type ScenarioLimits = { usd?: number | undefined; tokens?: number | undefined; calls?: number | undefined };

/** How an attempt ends. One that vanishes reports nothing, or reports its end later. */
export type AttemptOutcome =
  'answers' | 'answers twice' | 'fails half-way' | 'fails twice' | 'is rejected' | 'vanishes';

export type Action =
  | { do: 'call'; task: number; purpose: Purpose; worst: Usage; used: Usage; outcome: AttemptOutcome }
  | { do: 'report late'; vanishedIndex: number; outcome: Exclude<AttemptOutcome, 'vanishes'> }
  | { do: 'grant'; task: number; times: number }
  | { do: 'end'; task: number }
  | { do: 'reset'; task: number }
  | { do: 'write off' };

/** Tasks that share the day limits of their agent and tenant. The actions of one batch happen at the same time. */
export type Scenario = { tasks: ScenarioLimits[]; agent: ScenarioLimits; tenant: ScenarioLimits; batches: Action[][] };

/** US dollars per million tokens. Some result in costs that binary fractions cannot represent. */
const prices = [0.0375, 0.15, 1.1, 3, 15, 75];

// Round numbers, so that costs sometimes reach a limit exactly.
const limitsArbitrary: fc.Arbitrary<ScenarioLimits> = fc.record(
  {
    usd: fc.integer({ min: 0, max: 40 }).map((n) => n / 200),
    tokens: fc.integer({ min: 0, max: 60 }).map((n) => n * 100),
    calls: fc.integer({ min: 1, max: 10 }),
  },
  { requiredKeys: [] },
);

const task = fc.nat(2);

const call: fc.Arbitrary<Action> = fc
  .record({
    task,
    summary: fc.nat(4).map((n) => n === 0),
    price: fc.constantFrom(...prices),
    input: fc.nat(10).map((n) => n * 100),
    output: fc.nat(10).map((n) => n * 50),
    tenths: fc.nat(10),
    outcome: fc.constantFrom<AttemptOutcome>(
      ...(['answers', 'answers', 'answers twice', 'fails half-way', 'fails half-way', 'fails twice'] as const),
      ...(['is rejected', 'vanishes', 'vanishes', 'vanishes'] as const),
    ),
  })
  .map(({ task: index, summary, price, input, output, tenths, outcome }) => {
    const cost = (tokensIn: number, tokensOut: number) =>
      usageOf(tokensIn, tokensOut, (tokensIn * price * 0.2 + tokensOut * price) / 1_000_000);
    const worst = cost(input, output);
    const used = outcome === 'is rejected' ? cost(0, 0) : cost((input * tenths) / 10, (output * tenths) / 10);
    return { do: 'call', task: index, purpose: summary ? 'summary' : 'turn', worst, used, outcome };
  });

const lateReport: fc.Arbitrary<Action> = fc.record({
  do: fc.constant('report late' as const),
  vanishedIndex: fc.nat(5),
  outcome: fc.constantFrom(
    'answers' as const,
    'answers twice' as const,
    'fails half-way' as const,
    'fails twice' as const,
  ),
});

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: call },
  { weight: 3, arbitrary: lateReport },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('grant' as const), task, times: fc.constantFrom(0.5, 1.5, 3) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'reset' as const, 'reset' as const), task }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'write off' as const }) },
);

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  tasks: fc.array(limitsArbitrary, { minLength: 1, maxLength: 3 }),
  agent: limitsArbitrary,
  tenant: limitsArbitrary,
  batches: fc.array(fc.array(action, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 5 }),
});
