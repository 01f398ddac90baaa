import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { shortDurations } from './buckets.ts';

/** Tool calls, their effects in the outside world, and their approvals. */
export const createToolMetrics = (registers: Registry[]) => ({
  toolCalls: new Counter({
    name: 'tool_calls_total',
    help: 'Tool calls that ended',
    labelNames: ['tool', 'outcome'],
    registers,
  }),
  toolCallDuration: new Histogram({
    name: 'tool_call_duration_seconds',
    help: 'One tool call',
    labelNames: ['tool'],
    buckets: shortDurations,
    registers,
  }),
  artifacts: new Counter({
    name: 'artifacts_total',
    help: 'Files that tools have made',
    labelNames: ['tool'],
    registers,
  }),
  mcpServerUp: new Gauge({
    name: 'mcp_server_up',
    help: 'Whether this process reaches an MCP server: 1 or 0',
    labelNames: ['server'],
    registers,
  }),
  mcpToolsUnaccepted: new Gauge({
    name: 'mcp_tools_unaccepted',
    help: 'Configured tools of an MCP server that no operator has accepted as they are now',
    labelNames: ['server'],
    registers,
  }),
  delegations: new Counter({
    name: 'delegations_total',
    help: 'Delegated tasks that ended, by their agent and status, and delegate calls that were refused',
    labelNames: ['agent', 'outcome'],
    registers,
  }),
  callbacks: new Counter({
    name: 'callbacks_total',
    help: 'Attempts to tell a task’s end, by what became of them',
    labelNames: ['outcome'],
    registers,
  }),
  effectsUndone: new Counter({
    name: 'effects_undone_total',
    help: 'Effects of cancelled tasks that were to be taken back',
    labelNames: ['tool', 'state'],
    registers,
  }),
  approvalsRequested: new Counter({
    name: 'approvals_requested_total',
    help: 'Tool calls that wait for a person',
    labelNames: ['tool'],
    registers,
  }),
  approvalsDecided: new Counter({
    name: 'approvals_decided_total',
    help: 'Approvals by what was decided',
    labelNames: ['decision'],
    registers,
  }),
});
