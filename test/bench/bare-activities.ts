type Call = { taskId: string; step?: number };

export const bareActivities = {
  startTask: async ({ taskId }: Call) => ({ taskId, at: Date.now() }),
  callModel: async ({ taskId, step }: Call) => ({ taskId, step }),
  runTool: async ({ taskId, step }: Call) => ({ taskId, step }),
  completeTask: async ({ taskId }: Call) => ({ taskId }),
};
export type BareActivities = typeof bareActivities;
