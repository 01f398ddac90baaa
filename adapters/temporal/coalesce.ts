/**
 * A call that many make at once, about the same thing: who calls while one is under way shares the next one. Every caller
 * gets one that began after it called.
 */
export function coalesce(call: (about: string) => Promise<void>): (about: string) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();
  const after = async (about: string, before: Promise<void> | undefined) => {
    await before?.catch(() => {});
    next.delete(about);
    const current = call(about);
    running.set(about, current);
    await current;
  };
  return (about) => {
    const shared = next.get(about) ?? after(about, running.get(about));
    next.set(about, shared);
    return shared;
  };
}
