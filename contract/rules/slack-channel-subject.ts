/** Whether a subject stands for a channel of Slack, whose members all read what is answered there. */
export const isSlackChannel = (subject: string): boolean => /^slack:[^:]+:[CG]/.test(subject);
