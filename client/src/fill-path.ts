/** Puts values into a path like `/v1/tasks/{id}`. @throws TypeError for a value that would lead elsewhere */
export const fillPath = (template: string, values: Record<string, unknown> = {}): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    // A segment of dots alone is a step up.
    if (typeof value !== 'string' || /^\.{0,2}$/.test(value))
      throw new TypeError(`${name} is ${JSON.stringify(value)}: expected an id or a name`);
    return encodeURIComponent(value);
  });
