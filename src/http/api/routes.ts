import type { Scope } from '../../config/schema/token.ts';
import type { Signature } from '../../rpc/method.ts';
import { gatewaySignatures } from '../../rpc/objects/gateway.ts';
import { messageSignatures } from '../../rpc/objects/message/signatures.ts';
import { modemSignatures } from '../../rpc/objects/modem.ts';
import { moduleSignatures } from '../../rpc/objects/module.ts';
import { alertSignature } from './alerts.ts';

export type HttpMethod = 'GET' | 'POST' | 'DELETE';

/** One operation of the REST interface: a method of the namespace at a path. */
export interface ApiRoute {
  readonly method: HttpMethod;
  /** Below /api/v1. `{name}` is an argument. */
  readonly path: string;
  readonly object: string;
  readonly call: string;
  /** Arguments that do not stand in the path come from the query of a GET or DELETE, and from the body of a POST. */
  readonly signature: Signature;
  readonly scope: Scope;
  /** Who may only send may do this with messages of his own. */
  readonly own?: true;
  /** Status of success; 200 when absent. */
  readonly status?: 201;
  /** The body is a notification of alerts, and the arguments stand in the query. */
  readonly alerts?: true;
}

/** A client does not wait longer: a connection without traffic ends. Seconds. */
const MAX_WAIT = 50;

const { wait } = messageSignatures.send.args;
const send = {
  ...messageSignatures.send,
  args: { ...messageSignatures.send.args, wait: { ...wait, range: [0, MAX_WAIT] as const } },
} satisfies Signature;

const MESSAGE = 'sms_gateway.message';
const MODEM = 'sms_gateway.modem';
const MODULE = 'sms_gateway.module';
const GATEWAY = 'sms_gateway';

const alerts = {
  method: 'POST',
  object: MESSAGE,
  call: 'send',
  signature: alertSignature,
  scope: 'send',
  status: 201,
  alerts: true,
} as const;
const cancelling = { method: 'POST', object: MESSAGE, scope: 'admin', own: true } as const;

const { list, read, delete: remove, total, status, statistics, cancel, retry, segments } = messageSignatures;

/** Every operation. The first whose path fits counts. */
export const apiRoutes: readonly ApiRoute[] = [
  { method: 'POST', path: '/messages', object: MESSAGE, call: 'send', signature: send, scope: 'send', status: 201 },
  { method: 'GET', path: '/messages', object: MESSAGE, call: 'list', signature: list, scope: 'read' },
  { method: 'GET', path: '/messages/total', object: MESSAGE, call: 'total', signature: total, scope: 'read' },
  {
    method: 'GET',
    path: '/messages/{id}',
    object: MESSAGE,
    call: 'status',
    signature: status,
    scope: 'read',
    own: true,
  },
  { method: 'DELETE', path: '/messages/{id}', object: MESSAGE, call: 'delete', signature: remove, scope: 'delete' },
  { method: 'POST', path: '/messages/{id}/read', object: MESSAGE, call: 'read', signature: read, scope: 'read' },
  { ...cancelling, path: '/messages/{id}/cancel', call: 'cancel', signature: cancel },
  { ...cancelling, path: '/messages/{id}/retry', call: 'retry', signature: retry },
  { method: 'POST', path: '/segments', object: MESSAGE, call: 'segments', signature: segments, scope: 'send' },
  { method: 'GET', path: '/statistics', object: MESSAGE, call: 'statistics', signature: statistics, scope: 'read' },
  { ...alerts, path: '/alerts/grafana' },
  { ...alerts, path: '/alerts/alertmanager' },
  ...gatewayRoutes(),
  ...modemRoutes(),
  ...moduleRoutes(),
];

function gatewayRoutes(): readonly ApiRoute[] {
  const { status, health, version, reload } = gatewaySignatures;
  return [
    { method: 'GET', path: '/status', object: GATEWAY, call: 'status', signature: status, scope: 'read' },
    { method: 'GET', path: '/health', object: GATEWAY, call: 'health', signature: health, scope: 'read' },
    { method: 'GET', path: '/version', object: GATEWAY, call: 'version', signature: version, scope: 'send' },
    { method: 'POST', path: '/reload', object: GATEWAY, call: 'reload', signature: reload, scope: 'admin' },
  ];
}

function modemRoutes(): readonly ApiRoute[] {
  const { list, status, ussd, at, restart } = modemSignatures;
  return [
    { method: 'GET', path: '/modems', object: MODEM, call: 'list', signature: list, scope: 'read' },
    { method: 'GET', path: '/modems/{modem}', object: MODEM, call: 'status', signature: status, scope: 'read' },
    { method: 'POST', path: '/modems/{modem}/ussd', object: MODEM, call: 'ussd', signature: ussd, scope: 'admin' },
    { method: 'POST', path: '/modems/{modem}/at', object: MODEM, call: 'at', signature: at, scope: 'admin' },
    {
      method: 'POST',
      path: '/modems/{modem}/restart',
      object: MODEM,
      call: 'restart',
      signature: restart,
      scope: 'admin',
    },
  ];
}

function moduleRoutes(): readonly ApiRoute[] {
  const { list, status, test, restart } = moduleSignatures;
  return [
    { method: 'GET', path: '/modules', object: MODULE, call: 'list', signature: list, scope: 'read' },
    { method: 'GET', path: '/modules/{module}', object: MODULE, call: 'status', signature: status, scope: 'read' },
    { method: 'POST', path: '/modules/{module}/test', object: MODULE, call: 'test', signature: test, scope: 'admin' },
    {
      method: 'POST',
      path: '/modules/{module}/restart',
      object: MODULE,
      call: 'restart',
      signature: restart,
      scope: 'admin',
    },
  ];
}

/** The arguments that stand in a path. */
export const pathArguments = (path: string): readonly string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);

/** The arguments in the path of a request, not decoded; undefined when it is not of this route. */
export function matchPath(template: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = template.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const found: Record<string, string> = {};
  for (const [i, word] of wanted.entries()) {
    const part = given[i] ?? '';
    const [, name] = /^\{(\w+)\}$/.exec(word) ?? [];
    if (name === undefined ? part !== word : part === '') return undefined;
    if (name !== undefined) found[name] = part;
  }
  return found;
}
