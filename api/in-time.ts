export { inTime } from '../runtime/in-time.ts';
