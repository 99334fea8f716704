import type { IncomingMessage } from 'node:http';
import { parseInstant } from '../../base/clock.ts';
import { type ErrorCode, GatewayError } from '../../base/errors.ts';
import { defined, isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { ApiAnswer } from './answer.ts';
import { type ApiClient, type ApiClients, SESSION_S } from './clients.ts';
import type { Sending } from './sending.ts';

/*
 * What other gateways answer, as far as the notifiers of monitoring programs use it: RutOS 7 and SMSEagle. Such a program
 * sends by this gateway when its address is changed.
 */

export interface AliasServices {
  readonly clients: ApiClients;
  readonly sending: Sending;
  /** The instant at which the clock of the router shows this time; both ms as Date.UTC gives them. */
  readonly instantOf: (local: number) => Promise<number>;
  readonly hasModem: (name: string) => boolean;
}

/** One request with its body, read as JSON. */
export interface AliasRequest {
  readonly request: IncomingMessage;
  readonly body: Json;
  readonly signal: AbortSignal;
}

export interface Alias {
  /** Rejects with GatewayError. */
  answer(request: AliasRequest, services: AliasServices): Promise<ApiAnswer>;
  /** How this interface says an error. */
  refuse(error: GatewayError, body: Json): ApiAnswer;
}

/** By path; all are POST. */
export function aliasAt(path: string): Alias | undefined {
  switch (path) {
    case '/api/login':
      return rutosLogin;
    case '/api/messages/actions/send':
      return rutosSend;
    // The second is that of older firmware.
    case '/jsonrpc/sms':
    case '/index.php/jsonrpc/sms':
      return smsEagleRpc;
    case '/api/v2/messages/sms':
    case '/index.php/api/v2/messages/sms':
      return smsEagleRest;
    default:
      return undefined;
  }
}

const fields = (value: Json | undefined): JsonObject => {
  if (isJsonObject(value)) return value;
  throw new GatewayError('invalid_argument', 'wanted a JSON object');
};

function text(from: JsonObject, name: string): string {
  const value = from[name];
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new GatewayError('invalid_argument', `wanted a text in ${name}`);
}

const allowSending = (client: ApiClient): ApiClient => {
  if (client.may('send')) return client;
  throw new GatewayError('access_denied', `${client.who} may not send`);
};

/** Codes of RutOS 7. */
const loginFailed = 121;
const requestNotUnderstood = 122;
const rutosCodes: Partial<Readonly<Record<ErrorCode, number>>> = { access_denied: 120, login_required: 123 };

const rutosError = (error: GatewayError, code: number): ApiAnswer => {
  const source = code === requestNotUnderstood ? 'data' : 'Authorization';
  return { status: error.mapping.http, body: { success: false, errors: [{ code, error: error.message, source }] } };
};

const rutosLogin: Alias = {
  async answer({ request, body, signal }, { clients }) {
    const login = fields(body);
    const client = await clients.byPassword(text(login, 'username'), text(login, 'password'), request, signal);
    return { status: 200, body: { success: true, data: { token: clients.open(client), expires: SESSION_S } } };
  },
  refuse: (error) => rutosError(error, loginFailed),
};

const rutosSend: Alias = {
  async answer({ request, body, signal }, { clients, sending, hasModem }) {
    const client = allowSending(await clients.fromRequest(request, signal));
    const data = fields(fields(body)['data']);
    const modem = data['modem'];
    // `1-1` and the like are ids of RutOS: any modem.
    const own = typeof modem === 'string' && (hasModem(modem) || !/^[0-9]+(?:-[0-9.]+)*$|^$/.test(modem));
    const args = { number: text(data, 'number'), text: text(data, 'message'), ...(own && { modem }) };
    const { parts = 1 } = await sending.send(client, args, signal);
    return { status: 200, body: { success: true, data: { sms_used: parts } } };
  },
  refuse: (error) => rutosError(error, rutosCodes[error.code] ?? requestNotUnderstood),
};

const isOn = (value: Json | undefined): boolean => value === true || value === 1 || value === '1';

const several = (list: string): readonly string[] => list.split(',').filter((each) => each.trim() !== '');

/** The messages that a send came to: an id, or why no message was made. */
function outcomes(
  result: JsonObject,
): readonly { readonly number?: string; readonly id?: number; readonly error?: string }[] {
  const { id, recipients } = result;
  const each = Array.isArray(recipients) ? recipients.filter(isJsonObject) : [{ id }];
  return each.map(({ number, id, error }: JsonObject) =>
    defined({
      number: typeof number === 'string' ? number : undefined,
      id: typeof id === 'number' ? id : undefined,
      error: typeof id === 'number' ? undefined : String(error ?? 'not sent'),
    }),
  );
}

/** SMSEagle APIv1: `{"method":"sms.send_sms","params":{…}}`. Errors come with status 200, as clients expect. */
const smsEagleRpc: Alias = {
  async answer({ request, body, signal }, { clients, sending, instantOf }) {
    const { method, params: given } = fields(body);
    const params = fields(given);
    const client = allowSending(
      params['access_token'] === undefined
        ? await clients.byPassword(text(params, 'login'), text(params, 'pass'), request, signal)
        : await clients.byToken(text(params, 'access_token'), request, signal),
    );
    if (params['message_type'] === 'mms') throw new GatewayError('not_supported', 'MMS are not sent here');
    const { date } = params;
    const args = {
      ...smsEagleRecipients(method, params),
      ...(isOn(params['highpriority']) && { priority: 2 }),
      ...(isOn(params['flash']) && { flash: true }),
      ...(date !== undefined &&
        date !== null &&
        date !== '' && { not_before: new Date(await instantOf(localTime(text(params, 'date')))).toISOString() }),
      text: text(params, 'message'),
    };
    // A test sends nothing.
    const sent = isOn(params['test']) ? [{ id: 0 }] : outcomes(await sending.send(client, args, signal));
    const isExtended = params['responsetype'] === 'extended';
    const results = sent.map(({ id, error }): Json => {
      if (!isExtended) return error === undefined ? `OK; ID=${id}` : error;
      return error === undefined ? { message_id: String(id), status: 'ok' } : { error_text: error, status: 'error' };
    });
    return { status: 200, body: { result: results.length === 1 ? (results[0] ?? null) : results } };
  },
  refuse(error, body) {
    const params = isJsonObject(body) && isJsonObject(body['params']) ? body['params'] : {};
    const isToken = params['access_token'] !== undefined;
    const said: Partial<Readonly<Record<ErrorCode, string>>> = {
      login_required: isToken ? 'Invalid access token' : 'Invalid login or password',
      invalid_argument: 'Wrong parameters',
    };
    const text = said[error.code] ?? error.message;
    const isExtended = params['responsetype'] === 'extended';
    return { status: 200, body: { result: isExtended ? { error_text: text, status: 'error' } : text } };
  },
};

function smsEagleRecipients(method: Json | undefined, params: JsonObject): JsonObject {
  if (method === 'sms.send_togroup') return { group: text(params, 'groupname') };
  if (method !== 'sms.send_sms') throw new GatewayError('invalid_argument', 'wanted sms.send_sms or sms.send_togroup');
  const numbers = several(text(params, 'to'));
  return numbers.length === 1 ? { number: numbers[0] } : { numbers };
}

/** `YYYYmmDDHHMM` by the clock of the router. */
function localTime(date: string): number {
  const [, year, month, day, hour, minute] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(date) ?? [];
  const local = parseInstant(`${year}-${month}-${day}T${hour}:${minute}:00Z`);
  if (local !== undefined) return local;
  throw new GatewayError('invalid_argument', 'date: wanted YYYYmmDDHHMM');
}

/** SMSEagle APIv2: an entry for each recipient. */
const smsEagleRest: Alias = {
  async answer({ request, body, signal }, { clients, sending }) {
    const token = request.headers['access-token'];
    const client = allowSending(
      typeof token === 'string'
        ? await clients.byToken(token, request, signal)
        : await clients.fromRequest(request, signal),
    );
    const { to, text: message, flash, date, priority } = fields(body);
    if (!Array.isArray(to)) throw new GatewayError('invalid_argument', 'to: wanted an array of numbers');
    const args = defined({
      numbers: to,
      text: typeof message === 'string' ? message : '',
      flash: isOn(flash) || undefined,
      priority: typeof priority === 'number' && priority > 0 ? 2 : undefined,
      not_before: typeof date === 'string' && date !== '' ? date : undefined,
    });
    const sent = outcomes(await sending.send(client, args, signal));
    return {
      status: 200,
      body: sent.map(({ number, id, error }) =>
        error === undefined
          ? { status: 'queued', message: 'OK', number, id }
          : { status: 'error', message: error, number, id: 0 },
      ),
    };
  },
  refuse: (error) => ({ status: error.mapping.http, body: { status: 'error', message: error.message } }),
};
