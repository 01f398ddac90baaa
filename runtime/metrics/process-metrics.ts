import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Upper bounds of the histogram buckets, in seconds. */
const buckets = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** HTTP, sign-ins, corrected rows, partitions, and the process itself. */
export const createProcessMetrics = (registers: Registry[]) => ({
  httpDuration: new Histogram({
    name: 'http_request_duration_seconds',
    help: 'HTTP requests',
    labelNames: ['method', 'route', 'status'],
    buckets,
    registers,
  }),
  eventStreams: new Gauge({ name: 'event_streams_open', help: 'Followers connected to an event stream', registers }),
  signIns: new Counter({
    name: 'sign_ins_total',
    help: 'Requests by how they signed in, and what came of it',
    labelNames: ['via', 'outcome'],
    registers,
  }),
  signInPauses: new Counter({
    name: 'sign_in_pauses_total',
    help: 'Pauses that began for an address after wrong credentials',
    labelNames: ['credential'],
    registers,
  }),
  requestsLimited: new Counter({
    name: 'requests_limited_total',
    help: 'Requests that were refused by a limit',
    labelNames: ['limit'],
    registers,
  }),
  rowsCorrected: new Counter({
    name: 'task_rows_corrected_total',
    help: 'Rows brought in line with what Temporal says',
    labelNames: ['found'],
    registers,
  }),
  eventPartitions: new Counter({
    name: 'event_partitions_total',
    help: 'Partitions of the events that the sweep made or dropped, or could not',
    labelNames: ['change'],
    registers,
  }),
  agentPackRefused: new Gauge({
    name: 'agent_pack_refused',
    help: '1 for an agent pack with a fault, which this process has left out',
    labelNames: ['pack'],
    registers,
  }),
  coldStart: new Gauge({ name: 'cold_start_seconds', help: 'From process start to ready', registers }),
  buildInfo: new Gauge({ name: 'build_info', help: 'Always 1', labelNames: ['version', 'node'], registers }),
});
