import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { GatewayError, toGatewayError } from '../base/errors.ts';
import type { HostPort } from '../base/host-port.ts';
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import { LineReader } from '../base/line-reader.ts';
import { SmsError } from '../sms/index.ts';
import { type FaultType, faultTable, parseFault } from './faults.ts';
import type { IncomingMessage } from './messages.ts';
import { type RegistrationState, registrationCodes } from './radio.ts';
import type { SimulatedModem } from './simulated-modem.ts';

/**
 * The modem's serial line on a TCP port, as ser2net has it: the newest client holds the line, the one before is
 * dropped. While the port of the modem is gone, clients are turned away. Resolves to the server and where it listens.
 */
export async function serveLine(modem: SimulatedModem, at: HostPort): Promise<[Server, HostPort]> {
  let holder: Socket | undefined;
  const server = createServer({ noDelay: true }, (socket) => {
    // Why a connection breaks does not matter: it closes.
    socket.on('error', () => {});
    if (!modem.plugged) return socket.destroy();
    holder?.destroy();
    holder = socket;
    modem.attach(socket);
  });
  return [server, await listen(server, at)];
}

/** Resolves to where the server listens; rejects with the system's error when it cannot. */
export async function listen(server: Server, { host, port }: HostPort): Promise<HostPort> {
  server.listen(port, host);
  await once(server, 'listening');
  const { address, port: bound } = server.address() as AddressInfo;
  return { host: address, port: bound };
}

const MAX_CLIENTS = 16;
/** Longest line, in octets. */
const MAX_LINE = 262_144;

/** Orders to the simulator, one JSON object a line, each answered by one. Resolves to the server and where it listens. */
export async function serveControl(modem: SimulatedModem, at: HostPort): Promise<[Server, HostPort]> {
  const server = createServer({ noDelay: true }, (socket) => {
    const reader = new LineReader(MAX_LINE);
    const answer = () => {
      for (let line = reader.next(); line !== undefined; line = reader.next()) {
        if (socket.writable) socket.write(`${obey(modem, line.toString('utf8'))}\n`);
      }
    };
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      try {
        answer();
      } catch {
        // A line that is too long: where it ends is not known.
        socket.destroy();
      }
    });
  });
  server.maxConnections = MAX_CLIENTS;
  return [server, await listen(server, at)];
}

const MAX_TEXT = 40_000;

type Order = (modem: SimulatedModem, argument: Json) => JsonObject;

/** What can be asked of a running simulator: a JSON object with one of these keys. */
const orders: Readonly<Record<string, Order>> = {
  receive: (modem, argument) => {
    modem.receive(incomingMessage(argument));
    return {};
  },
  receive_pdu: (modem, argument) => {
    if (typeof argument !== 'string' || argument.length > 400) throw wrong('receive_pdu');
    modem.receivePdu(argument);
    return {};
  },
  sent: (modem) => ({ sent: asJson(modem.sent()) }),
  sent_parts: (modem) => ({ sent_parts: asJson(modem.sentParts()) }),
  status: (modem) => ({ plugged: modem.plugged, spoke: modem.spoke ?? null, counters: asJson(modem.counters) }),
  fault: (modem, argument) => {
    if (!isJsonObject(argument)) throw wrong('fault');
    modem.faults.add(parseFault(argument));
    return {};
  },
  clear: (modem, argument) => {
    if (argument !== true && !isFaultType(argument)) throw wrong('clear');
    modem.faults.clear(argument === true ? undefined : argument);
    return {};
  },
  registration: (modem, argument) => {
    if (!isRegistration(argument)) throw wrong('registration');
    modem.setRegistration(argument);
    return {};
  },
  signal: (modem, argument) => {
    if (typeof argument !== 'number' || !(argument === 99 || (argument >= 0 && argument <= 31))) throw wrong('signal');
    modem.setSignal(Math.trunc(argument));
    return {};
  },
};

/** Carries out one line of JSON; the answer is another. Never throws. */
export function obey(modem: SimulatedModem, line: string): string {
  try {
    const request = parse(line);
    const [[name, argument] = ['', null], ...more] = Object.entries(request);
    const order = Object.hasOwn(orders, name) ? orders[name] : undefined;
    if (order === undefined || more.length > 0) {
      throw new GatewayError('invalid_request', `want an object with one of ${Object.keys(orders).join(', ')}`);
    }
    return JSON.stringify({ ok: true, ...order(modem, argument ?? null) });
  } catch (thrown) {
    const { code, message } = thrown instanceof SmsError ? thrown : toGatewayError(thrown);
    return JSON.stringify({ ok: false, error: { code, message } });
  }
}

function parse(line: string): JsonObject {
  try {
    const value: unknown = JSON.parse(line);
    if (isJsonObject(value)) return value;
  } catch {
    // Falls through to the error.
  }
  throw new GatewayError('parse_error', 'a line must be a JSON object');
}

function incomingMessage(value: Json): IncomingMessage {
  if (!isJsonObject(value)) throw wrong('receive');
  const { from, text, time, encoding = 'auto', class: messageClass, pid } = value;
  if (typeof from !== 'string' || from === '' || from.length > 21) throw wrong('receive.from');
  if (typeof text !== 'string' || text.length > MAX_TEXT) throw wrong('receive.text');
  if (encoding !== 'auto' && encoding !== 'gsm7' && encoding !== 'ucs2') throw wrong('receive.encoding');
  const classes = [0, 1, 2, 3] as const;
  const known = classes.find((each) => each === messageClass);
  if (messageClass !== undefined && known === undefined) throw wrong('receive.class');
  return {
    from,
    text,
    encoding,
    ...(known !== undefined && { messageClass: known }),
    ...(time !== undefined && { time: integer(time, 'receive.time', Number.MAX_SAFE_INTEGER) }),
    ...(pid !== undefined && { pid: integer(pid, 'receive.pid', 255) }),
  };
}

function integer(value: Json, name: string, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) throw wrong(name);
  return value;
}

function isFaultType(value: Json): value is FaultType {
  return typeof value === 'string' && Object.hasOwn(faultTable, value);
}

function isRegistration(value: Json): value is RegistrationState {
  return typeof value === 'string' && Object.hasOwn(registrationCodes, value);
}

const wrong = (name: string) =>
  new GatewayError('invalid_argument', `${name} is missing, or of the wrong type or size`);

// The records are plain data; an interface is no JsonObject only because it has no index signature.
const asJson = (value: object): Json => value as unknown as Json;
