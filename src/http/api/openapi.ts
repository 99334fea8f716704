import { errorTable } from '../../base/errors.ts';
import { defined, type JsonObject } from '../../base/json.ts';
import { version } from '../../base/version.ts';
import type { Argument, Signature } from '../../rpc/method.ts';
import { problemType } from './answer.ts';
import { type ApiRoute, apiRoutes, pathArguments } from './routes.ts';

/** Fields of results whose JSON type is the same wherever they occur. Others may be anything. */
const fieldTypes: Readonly<Record<string, JsonObject>> = {
  ...all({ type: 'integer' }, ['id', 'index', 'parts', 'characters', 'remaining', 'uptime', 'used', 'total', 'unread']),
  ...all({ type: 'integer' }, ['attempts', 'priority', 'missing', 'batch', 'sent_today', 'daily_limit', 'pending']),
  ...all({ type: 'string' }, ['box', 'number', 'text', 'state', 'encoding', 'error', 'warning', 'cursor', 'version']),
  ...all({ type: 'string' }, ['name', 'source', 'client_ref', 'notice', 'data', 'udh', 'device', 'operator']),
  ...all({ type: 'string', format: 'date-time' }, ['time', 'received', 'expires', 'not_before', 'changed', 'since']),
  ...all({ type: 'boolean' }, ['duplicate', 'healthy', 'enabled', 'report']),
  ...all({ type: 'array', items: { type: 'object' } }, ['messages', 'recipients', 'part_states', 'config_errors']),
  ...all({ type: 'array', items: { type: 'string' } }, ['problems', 'warnings', 'lines', 'ports', 'sections']),
};

function all(schema: JsonObject, names: readonly string[]): Readonly<Record<string, JsonObject>> {
  return Object.fromEntries(names.map((name) => [name, schema]));
}

/** The OpenAPI 3.1 document of the interface, made from the method tables of the namespace. */
export function openApiDocument(): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of apiRoutes) {
    const path = paths[route.path] ?? {};
    paths[route.path] = path;
    path[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'SMS gateway',
      version,
      summary: 'Sends and receives SMS.',
      description:
        'Each operation is a method of the RPC namespace. Errors are problem+json (RFC 9457) with a stable `code`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }, { password: [] }],
    tags: ['messages', 'alerts', 'gateway', 'modems', 'modules'].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token, made by `smsgw token create NAME`.' },
        password: { type: 'http', scheme: 'basic', description: 'An account of the web pages or of Post/Get.' },
      },
      schemas: { Problem: problemSchema },
      responses: {
        Problem: {
          description: 'What went wrong.',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
    'x-errors': Object.fromEntries(
      Object.entries(errorTable).map(([code, { http, retry }]) => [code, { status: http, retry }]),
    ),
  };
}

const problemSchema: JsonObject = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', format: 'uri-reference', examples: [problemType('invalid_number')] },
    title: { type: 'string' },
    status: { type: 'integer', description: 'The HTTP status.' },
    detail: { type: 'string', description: 'What was got and what was wanted, a sentence.' },
    code: { type: 'string', enum: Object.keys(errorTable), description: 'Stable; for programs to compare.' },
  },
};

function operation(route: ApiRoute): JsonObject {
  const { method, path, signature, scope, own, status = 200, alerts } = route;
  const inPath = pathArguments(path);
  const others = Object.entries(signature.args).filter(([name]) => !inPath.includes(name));
  const isQuery = method !== 'POST' || alerts === true;
  const parameters = [
    ...inPath.map((name) => parameter(name, 'path', signature.args[name])),
    ...(isQuery ? others.map(([name, argument]) => parameter(name, 'query', argument)) : []),
    ...(route.call === 'send' && alerts === undefined ? [idempotencyKey] : []),
  ];
  const answer = {
    description: status === 201 ? 'Stored in the outbox.' : 'Done.',
    content: { 'application/json': { schema: resultSchema(signature) } },
  };
  return defined({
    operationId: operationId(route),
    tags: [tagOf(path)],
    summary: signature.help.split('. ')[0]?.replace(/\.$/, ''),
    description: `${signature.help} Needs the scope \`${scope}\`${own === true ? ', or `send` for messages that the same client has sent' : ''}.`,
    parameters: parameters.length === 0 ? undefined : parameters,
    requestBody: isQuery ? (alerts === true ? alertBody : undefined) : bodyOf(others),
    responses: {
      [status]: answer,
      ...(status === 201 && alerts === undefined
        ? { 200: { ...answer, description: 'Sent before with the same `client_ref`: nothing was sent again.' } }
        : {}),
      '4XX': { $ref: '#/components/responses/Problem' },
      '5XX': { $ref: '#/components/responses/Problem' },
    },
  });
}

const idempotencyKey: JsonObject = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'As `client_ref` in the body.',
  schema: { type: 'string', minLength: 1, maxLength: 130 },
};

const alertBody: JsonObject = {
  required: true,
  content: {
    'application/json': {
      schema: {
        type: 'object',
        description: 'As the webhooks of Grafana and Alertmanager (version 4) send it.',
        properties: { status: { type: 'string' }, alerts: { type: 'array', items: { type: 'object' } } },
      },
    },
  },
};

function parameter(name: string, place: 'path' | 'query', argument: Argument | undefined): JsonObject {
  const required = place === 'path' || argument?.required === true;
  return {
    name,
    in: place,
    required,
    description: argument?.help ?? '',
    schema: argument === undefined ? { type: 'string' } : argumentSchema(argument),
  };
}

function bodyOf(args: readonly (readonly [string, Argument])[]): JsonObject | undefined {
  if (args.length === 0) return undefined;
  const required = args.flatMap(([name, argument]) => (argument.required === true ? [name] : []));
  const schema = {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      args.map(([name, argument]) => [name, { ...argumentSchema(argument), description: argument.help }]),
    ),
    ...(required.length > 0 && { required }),
  };
  return { required: required.length > 0, content: { 'application/json': { schema } } };
}

function argumentSchema({ type, range, words }: Argument): JsonObject {
  const [min, max] = range ?? [];
  const bounds = {
    string: { minLength: min, maxLength: max },
    integer: { minimum: min, maximum: max },
    array: { minItems: min, maxItems: max, items: { type: 'string' } },
    boolean: {},
    table: {},
  }[type];
  return defined({ type: type === 'table' ? 'object' : type, ...bounds, enum: words });
}

function resultSchema({ result }: Signature): JsonObject {
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(result).map(([name, description]) => [name, { ...fieldTypes[name], description }]),
    ),
  };
}

function tagOf(path: string): string {
  const [, first = ''] = path.split('/');
  if (first === 'segments' || first === 'statistics') return 'messages';
  return ['messages', 'alerts', 'modems', 'modules'].includes(first) ? first : 'gateway';
}

/** After the method of the namespace: `message_send`. */
function operationId({ object, call, path, alerts }: ApiRoute): string {
  if (alerts === true) return path.slice(1).replace('/', '_');
  return `${object.replace(/^sms_gateway\.?/, '') || 'gateway'}_${call}`;
}
