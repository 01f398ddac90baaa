/**
 * Limits of delegation. They end what a model may begin without end; budgets limit what it costs.
 *
 * - `depth`: an orchestrator, a specialist, and one more whom that one asks. What is deeper has lost the request.
 * - `open`: tasks that one task waits for at the same time. Each takes a place of a worker.
 * - `total`: all tasks below the first one. A plan with more steps than this belongs into a schedule or a program.
 */
export const delegationLimits = { depth: 3, open: 8, total: 50 };

/** The least share with which a delegated task is begun: less pays for no call of a model. */
export const leastShare = { usd: 0.0001, tokens: 2_000, calls: 1 };
