/** What a client gets from a cgi-bin URL. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Factory user name and password of Post/Get. */
export const factoryLogin = { username: 'user1', password: 'user_pass' };

/** GETs a cgi-bin URL with the parameters escaped. */
export async function get(base: string, script: string, parameters: Readonly<Record<string, string>>): Promise<Answer> {
  const query = new URLSearchParams({ ...factoryLogin, ...parameters });
  const response = await fetch(`${base}/cgi-bin/${script}?${query}`);
  return { status: response.status, body: await response.text() };
}

/** POSTs the parameters as a form. */
export async function post(
  base: string,
  script: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Answer> {
  const body = new URLSearchParams({ ...factoryLogin, ...parameters });
  const response = await fetch(`${base}/cgi-bin/${script}`, { method: 'POST', body });
  return { status: response.status, body: await response.text() };
}
