/**
 * Does in a browser what the page of a device code asks for: a person confirms the code, or refuses it.
 *
 * @param address of the page, with the code
 */
export async function decideDevice(address: string, subject: string, decision: 'confirm' | 'abort' = 'confirm') {
  const cookies = new Map([['hint', subject]]);
  const form = await (await visit(address, cookies)).text();
  const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(form) ?? [];
  const { searchParams, origin, pathname } = new URL(address);
  const body = new URLSearchParams({ xsrf, user_code: searchParams.get('user_code') ?? '', [decision]: 'yes' });
  let response = await visit(origin + pathname, cookies, body);
  for (let location = response.headers.get('location'); location !== null; location = response.headers.get('location'))
    response = await visit(new URL(location, address).href, cookies);
}

/** One request of a browser, which keeps the cookies that come. */
async function visit(url: string, cookies: Map<string, string>, body?: URLSearchParams): Promise<Response> {
  const response = await fetch(url, {
    redirect: 'manual',
    headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    ...(body && { method: 'POST', body }),
  });
  for (const line of response.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    cookies.set(name, value);
  }
  return response;
}

/**
 * Follows redirects with the cookies that come, until the client's own address is reached.
 *
 * @param subject who signs in, when the request does not say it
 * @returns that address
 */
export async function followTo(start: string, end: string, subject?: string): Promise<string> {
  const cookies = new Map<string, string>(subject === undefined ? [] : [['hint', subject]]);
  let url = start;
  for (let hops = 0; hops < 10; hops++) {
    const response = await visit(url, cookies);
    const location = response.headers.get('location');
    if (location === null) throw new Error(`The OIDC server answered ${response.status}: ${await response.text()}`);
    url = new URL(location, url).href;
    if (url.startsWith(end)) return url;
  }
  throw new Error('The OIDC server sends from one address to the next without an end.');
}
