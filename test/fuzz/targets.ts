/**
 * What reads octets that strangers choose, and what must hold for every input. `run.ts` searches by coverage,
 * `fuzz.test.ts` by mutation of the seeds: both take a target's input as it comes here.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { Bus } from '../../src/base/bus.ts';
import { systemClock } from '../../src/base/clock.ts';
import { GatewayError } from '../../src/base/errors.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { decodeLine, LineReader } from '../../src/base/line-reader.ts';
import { createLogger } from '../../src/base/log.ts';
import { readConfig } from '../../src/config/load-config.ts';
import { exportForm, fileForm, parsePackage, UciError, UciPackage } from '../../src/config/uci-parse-lite/index.ts';
import { RequestLine } from '../../src/http/request-line.ts';
import { AtError } from '../../src/modem/at/answer.ts';
import { AtChannel } from '../../src/modem/at/channel.ts';
import { AtSplitter } from '../../src/modem/at/splitter.ts';
import { AnswerHead } from '../../src/modules/kit/answer-head.ts';
import { exchange } from '../../src/modules/kit/exchange.ts';
import { Mailer } from '../../src/modules/kit/mailer.ts';
import { numbersOf } from '../../src/modules/pop3/decide.ts';
import { ownText } from '../../src/modules/pop3/mail-text.ts';
import { parseMail } from '../../src/modules/pop3/parse-mail.ts';
import { AnswerReader } from '../../src/modules/pop3/pop3-answers.ts';
import { Pop3Client } from '../../src/modules/pop3/pop3-client.ts';
import { parametersOf } from '../../src/modules/post_get/cgi.ts';
import { destinationOf, recipientOf } from '../../src/modules/smpp/address.ts';
import { decodePdu as decodeSmppPdu } from '../../src/modules/smpp/codec.ts';
import { contentOf } from '../../src/modules/smpp/content.ts';
import { Framer, FramingError, MAX_PDU } from '../../src/modules/smpp/esme-connection.ts';
import { SmppError } from '../../src/modules/smpp/status.ts';
import { parseTime } from '../../src/modules/smpp/time.ts';
import { type GatewayEvents, Subscriptions } from '../../src/rpc/events.ts';
import { JsonRpc, type RpcSession } from '../../src/rpc/json-rpc.ts';
import { Namespace } from '../../src/rpc/namespace.ts';
import { cgiObject } from '../../src/rpc/objects/cgi.ts';
import { decodeTable, encodeTable } from '../../src/rpc/ubus/blobmsg.ts';
import {
  attributeData,
  attributeId,
  encodeMessage,
  MessageReader,
  messageType,
  numberAttribute,
  tableAttribute,
  textAttribute,
  type UbusMessage,
} from '../../src/rpc/ubus/message.ts';
import {
  concatenationOf,
  decodePdu,
  decodeTpdu,
  encodeDeliver,
  encodeStatusReport,
  encodeSubmit,
  fromHex,
  portsOf,
  type Reading,
  readMmsNotification,
  SmsError,
  type Tpdu,
  userDataText,
  waitingIndications,
} from '../../src/sms/index.ts';
import { Store } from '../../src/store/store.ts';
import { Peer, silentLog } from '../modem/support/peer.ts';
import { bodies, ids, pdu, requestNames } from '../modules/smpp/octets.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryFileSystem } from '../support/memory-file-system.ts';
import { policy as outboxPolicy } from '../support/outbox-rig.ts';
import { type FuzzTarget, inPieces, loopbackServer, unless } from './input.ts';

const text = (...parts: readonly string[]): readonly Buffer[] => parts.map((part) => Buffer.from(part, 'latin1'));
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

// A file of the administrator, and what a module of LuCI wrote into it.

const shape = (uci: UciPackage) =>
  uci.sections.map(({ name, type, anonymous, options }) => ({
    ...{ name, type, anonymous },
    options: [...options].map(([option, { value }]) => [option, value]),
  }));

function uci(input: Buffer): void {
  const read = unless(UciError, () => parsePackage('sms_gateway', input));
  if (read === undefined) return;
  const { errors } = readConfig(read, 'sms_gateway', () => undefined);
  for (const { message } of errors) assert.ok(message.length < 2_000);
  assert.deepEqual(shape(parsePackage('sms_gateway', fileForm(read))), shape(read), 'what is written reads the same');
  const exported = exportForm(read);
  assert.ok(exportForm(parsePackage('sms_gateway', exported)).equals(exported), 'the export form is stable');
}

// A PDU from the air: the first octet says which way it goes.

function encoded(tpdu: Tpdu): Uint8Array | undefined {
  switch (tpdu.type) {
    case 'deliver':
      return encodeDeliver(tpdu);
    case 'submit':
      return encodeSubmit(tpdu);
    case 'status-report':
      return tpdu.time && tpdu.discharge ? encodeStatusReport(tpdu) : undefined;
    default:
      return undefined;
  }
}

const timesOf = (tpdu: Tpdu) => ({
  ...('time' in tpdu && { time: tpdu.time }),
  ...('discharge' in tpdu && { discharge: tpdu.discharge }),
  ...('validity' in tpdu && { validity: tpdu.validity }),
});

function tpdu(input: Buffer): void {
  const direction = ((input[0] ?? 0) & 1) === 0 ? 'to-mobile' : 'to-network';
  const octets = Uint8Array.from(input.subarray(1));
  const [strict, lenient] = (['strict', 'lenient'] satisfies Reading[]).map((reading) =>
    unless(SmsError, () => decodePdu(octets, direction, reading)),
  );
  if (strict !== undefined) assert.deepEqual(lenient, strict, 'what is whole reads alike');
  if (lenient === undefined) return;
  const read = lenient.tpdu;
  if ('userData' in read && read.userData !== undefined) {
    const { userData } = read;
    const dcs = 'dcs' in read ? (read.dcs ?? 0) : 0;
    assert.ok(userDataText(dcs, userData).length <= 640);
    unless(SmsError, () => readMmsNotification(userData.data));
    concatenationOf(userData);
    portsOf(userData);
    waitingIndications(userData.elements, dcs, 0);
  }
  if (strict === undefined) return;
  const octetsAgain = unless(SmsError, () => encoded(strict.tpdu));
  if (octetsAgain === undefined) return;
  const again = decodeTpdu(octetsAgain, direction);
  // An unknown zone is written as UTC.
  assert.deepEqual({ ...again, ...timesOf(strict.tpdu) }, strict.tpdu, 'it comes back');
  assert.deepEqual(encoded(again), octetsAgain, 'and stays so');
}

// A modem that says what it likes.

async function at(input: Buffer): Promise<void> {
  const whole = new AtSplitter().push(input);
  const splitter = new AtSplitter();
  assert.deepEqual(
    inPieces(input).flatMap((piece) => splitter.push(piece)),
    whole,
    'however it comes',
  );

  const clock = new ManualClock();
  const peer = new Peer(clock);
  const nothing = () => undefined;
  const listener = { unsolicited: nothing, closed: nothing, silent: nothing, answeredLate: nothing };
  const channel = new AtChannel({ port: peer.port, clock, log: silentLog, listener });
  const { signal } = new AbortController();
  const rest = inPieces(input).map((piece) => piece.toString('latin1'));
  peer.reply = () => rest.shift();
  const waiting = Promise.allSettled([
    channel.command('poll', signal, 'AT+CSQ'),
    channel.transaction('submit', signal, (line) =>
      line.submit(19, '0011000B917396000000F10000AA0568656C6C6F', { prompt: 10_000, reference: 60_000 }),
    ),
    channel.command('incoming', signal, 'AT+CMGL=4', { quiet: 1_000 }),
  ]);
  await clock.advance(20_000);
  peer.say(...rest);
  await clock.advance(200_000);
  peer.vanish();
  await clock.advance(10_000);
  for (const result of await waiting) {
    if (result.status === 'rejected') assert.ok(result.reason instanceof AtError, String(result.reason));
  }
  assert.equal(clock.pending, 0, 'no timer is left');
}

// A client of the unix socket.

const rpc = (() => {
  const namespace = new Namespace(createLogger({ level: 'error', write: () => undefined }));
  namespace.add(cgiObject({ cgi: async (request) => ({ status: 200, contentType: '', body: request.body }) }));
  return new JsonRpc(namespace);
})();

function isAnswer(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every((each) => !Array.isArray(each) && isAnswer(each));
  if (typeof value !== 'object' || value === null) return false;
  return 'id' in value && 'error' in value !== 'result' in value;
}

async function jsonRpc(input: Buffer): Promise<void> {
  const lines = (pieces: readonly Buffer[]) => {
    const reader = new LineReader(2_048);
    const found: Buffer[] = [];
    const ended = unless(GatewayError, () => {
      for (const piece of pieces) {
        reader.push(piece);
        for (let line = reader.next(); line !== undefined; line = reader.next()) found.push(line);
      }
      return true;
    });
    return { found, ended };
  };
  const { found, ended } = lines([input]);
  assert.deepEqual(lines(inPieces(input)), { found, ended }, 'however it comes');
  for (const line of found) {
    const asked = decodeLine(line);
    if (asked === undefined) continue;
    const session: RpcSession = {
      caller: { transport: 'unix', signal: new AbortController().signal },
      subscriptions: new Subscriptions(),
    };
    const answer = await rpc.answer(asked, session);
    if (answer === undefined) continue;
    assert.ok(!answer.includes('\n') && isAnswer(JSON.parse(answer)), answer);
    assert.ok(!answer.includes('"internal"'), `unforeseen: ${answer}`);
  }
}

// ubusd, and who calls by it.

const hello: UbusMessage = { type: messageType.hello, seq: 0, peer: 7, attributes: [] };
const call: UbusMessage = {
  ...{ type: messageType.invoke, seq: 1, peer: 9 },
  attributes: [
    numberAttribute(attributeId.objectId, 1234),
    textAttribute(attributeId.method, 'send'),
    tableAttribute(attributeId.data, { number: '+37060000001', parts: [1, 2.5, -3, null, true], big: 2 ** 40 }),
  ],
};

function ubus(input: Buffer): void {
  const messages = (pieces: readonly Buffer[]) => {
    const reader = new MessageReader();
    const found: UbusMessage[] = [];
    const ended = unless(GatewayError, () => {
      for (const piece of pieces) found.push(...reader.read(piece));
      return true;
    });
    return { found, ended };
  };
  const { found } = messages([input]);
  const again = messages(inPieces(input)).found;
  assert.deepEqual(again.slice(0, found.length), found, 'however it comes');
  for (const message of found) {
    const octets = encodeMessage(message);
    assert.deepEqual(messages([octets]).found, [message], 'it comes back');
    table(attributeData(message, attributeId.data) ?? Buffer.alloc(0));
  }
  table(input);
}

function table(octets: Buffer): void {
  const read = unless(GatewayError, () => decodeTable(octets));
  if (read === undefined) return;
  // JSON, in which -0 and 0 are one.
  assert.deepEqual(plain(decodeTable(encodeTable(read))), plain(read), 'the table comes back');
}

// An SMPP client: a stream, or the body of one request.

function smpp(input: Buffer): void {
  const pdus = (pieces: readonly Buffer[]) => {
    const framer = new Framer();
    framer.limit = MAX_PDU;
    const found: Buffer[] = [];
    const ended = unless(FramingError, () => {
      for (const piece of pieces) {
        framer.push(piece);
        for (let octets = framer.next(); octets !== undefined; octets = framer.next()) found.push(octets);
      }
      return true;
    });
    return { found, ended };
  };
  const { found, ended } = pdus([input]);
  assert.deepEqual(pdus(inPieces(input)), { found, ended }, 'however it comes');
  const name = requestNames[(input[0] ?? 0) % requestNames.length];
  for (const octets of [...found, ...(name === undefined ? [] : [pdu(ids[name], [input.subarray(1)])])]) {
    const read = decodeSmppPdu(octets);
    if (read.type !== 'request') continue;
    const { command, fields } = read;
    if (command === 'submit_sm' || command === 'data_sm') {
      const content = unless(SmppError, () => contentOf(fields, 'gsm'));
      if (content?.type === 'text') assert.ok(content.text.length <= octets.length * 2);
      unless(SmppError, () => recipientOf(destinationOf(fields)));
    }
    if ('validity_period' in fields) {
      const time = parseTime(fields.validity_period, Date.UTC(2026, 0, 1));
      assert.ok(time === undefined || !Number.isNaN(new Date(time).getTime()), 'a time that there is');
    }
  }
}

// A request to a cgi-bin URL: Content-Type, query and body, each behind a line end.

/** JSON has lone surrogates, which no form can carry. */
const wellFormed = (value: string): string => Buffer.from(value).toString();

function cgi(input: Buffer): void {
  const [contentType = '', query = '', ...lines] = input.toString('latin1').split('\n');
  const request = { script: 'sms_send', method: 'POST', contentType, query, remoteAddress: '127.0.0.1' };
  const parameters = parametersOf({ ...request, body: lines.join('\n') });
  const usual = [...parameters].map(([name, value]) => [wellFormed(name), wellFormed(value)]);
  const form = new URLSearchParams(Object.fromEntries(usual)).toString();
  const again = parametersOf({ ...request, contentType: '', query: '', body: form });
  assert.deepEqual(Object.fromEntries(again), Object.fromEntries(usual), 'a form of them reads the same');

  const whole = new RequestLine().escape(input);
  const line = new RequestLine();
  assert.deepEqual(Buffer.concat(inPieces(input).map((piece) => line.escape(piece))), whole, 'however it comes');
}

// A mail.

async function mime(input: Buffer): Promise<void> {
  let mail: Awaited<ReturnType<typeof parseMail>>;
  try {
    mail = await parseMail(input);
  } catch (error) {
    assert.ok(error instanceof GatewayError && error.code === 'invalid_argument', String(error));
    return;
  }
  assert.ok(mail.text.length + mail.subject.length <= 4 * input.length + 1_000, 'it does not grow');
  assert.ok(ownText(mail.text).length <= mail.text.length);
  for (const loose of [true, false]) numbersOf(mail.subject, { loose, most: 10 });
}

// Servers that are asked: a step of the input, which ends with a NUL, answers each thing that is sent.

const steps = (...parts: readonly string[]): Buffer => Buffer.from(parts.join('\0'), 'latin1');
const never = new AbortController().signal;

async function pop3(input: Buffer): Promise<void> {
  const answers = (pieces: readonly Buffer[]) => {
    const seen: string[] = [];
    const reader = new AnswerReader({
      answered: (info, content) => void seen.push(info, content.toString('latin1')),
      refused: (why) => void seen.push(why),
      broken: ({ code }) => void seen.push(code),
    });
    reader.expect({ octets: 1_000, lines: 20 });
    for (const piece of pieces) reader.receive(piece);
    return seen;
  };
  assert.deepEqual(answers(inPieces(input)), answers([input]), 'however it comes');

  const port = await loopbackServer(input);
  try {
    const client = await Pop3Client.open(
      {
        ...{ host: '127.0.0.1', port, username: 'user', password: 'secret', security: 'none', tls: {} },
        ...{ timeout: 500, clock: systemClock },
      },
      never,
    );
    try {
      const mails = await client.list();
      await client.uniqueIds();
      for (const { number } of mails.slice(0, 2)) {
        assert.ok((await client.retrieve(number, 1_000)).length <= 1_000);
        await client.delete(number);
      }
      await client.quit();
    } finally {
      client.close();
    }
  } catch (error) {
    assert.ok(error instanceof GatewayError, String(error));
  }
}

const mailConfig = readConfig(new UciPackage('sms_gateway'), 'sms_gateway', () => undefined).config.forwarding_to_smtp;

async function smtp(input: Buffer): Promise<void> {
  const port = await loopbackServer(input);
  const config = {
    ...{ ...mailConfig, smtpip: '127.0.0.1', smtpport: port, secureconnection: false, timeout: 1 },
    ...{ senderemail: 'router@example.net', username: 'user', password: 'the-password' },
  };
  const mail = { to: 'a@example.net', subject: 's', text: 'text\n.\n', messageId: '<1@example.net>' };
  const outcome = await new Mailer(config, systemClock).send({ ...mail, automatic: 'auto-generated' }, never);
  if (outcome.type === 'retry' || outcome.type === 'rejected') assert.ok(outcome.reason.length < 400);
}

async function http(input: Buffer): Promise<void> {
  const head = (pieces: readonly Buffer[]) => {
    const reader = new AnswerHead();
    for (const piece of pieces) if (!reader.decided) reader.push(piece);
    reader.end();
    return reader.answer;
  };
  const whole = head([input]);
  assert.equal(head(inPieces(input))?.status, whole?.status, 'however it comes');

  const port = await loopbackServer(input);
  const request = { method: 'GET', url: new URL(`http://127.0.0.1:${port}/`), headers: [], secret: [] } as const;
  try {
    const answer = await exchange(request, { timeout: 1_000, verify: true, clock: systemClock, signal: never });
    assert.ok(Number.isInteger(answer.status) && answer.status >= 100 && answer.status <= 999);
  } catch (error) {
    assert.ok(error instanceof GatewayError, String(error));
  }
}

// The journal of another version, or of a bad disk: lines that begin with `[` get the checksum that is theirs.

const golden = ['v1-written', 'v1-compacted'].map((name) =>
  readFileSync(`test/store/golden/${name}.journal`, 'latin1'),
);

function withChecksums(input: Buffer): Buffer {
  const lines = input.toString('latin1').split('\n');
  const summed = lines.map((line) => {
    const sum = crc32(Buffer.from(line, 'latin1')).toString(16).padStart(8, '0');
    return line.startsWith('[') ? `${sum} ${line}` : line;
  });
  return Buffer.from(summed.join('\n'), 'latin1');
}

async function journal(input: Buffer): Promise<void> {
  const fileSystem = new MemoryFileSystem();
  fileSystem.put('/state/journal', withChecksums(input));
  const clock = new ManualClock();
  const open = () =>
    Store.open({
      ...{ directory: '/state', clock, log: silentLog, fileSystem, bus: new Bus<GatewayEvents>(silentLog) },
      policy: { sync: 'always', inbox: { capacity: 100, evict: false, partTimeoutHours: 24 }, outbox: outboxPolicy },
    });
  const state = async ({ inbox, outbox, notes, deliveries }: Store) =>
    plain({
      inbox: await inbox.list({ limit: 1_000 }),
      outbox: await outbox.list({ limit: 1_000 }),
      total: inbox.total(),
      notes: notes.book('pop3').entries(),
      pending: deliveries.pending('forwarding_to_http'),
    });
  const states: unknown[] = [];
  for (let start = 0; start < 3; start++) {
    let store: Store;
    try {
      store = await open();
    } catch (error) {
      assert.ok(error instanceof GatewayError && error.code === 'store_unavailable', String(error));
      return;
    }
    await clock.advance(0);
    states.push(await state(store));
    await store.close();
  }
  // The first start writes a journal anew that is not as this release writes it.
  assert.deepEqual(states[2], states[1], 'a restart finds the same');
}

const jsonCall = (method: string, params: unknown): string =>
  `${JSON.stringify({ jsonrpc: '2.0', id: 1, method, params } satisfies JsonObject | object)}\n`;

const scts = '51507132200523';
const pdus = [
  `00 07917396090000F0040B917396000000F100006210102030400005E8329BFD06`,
  `00 07917396090000F0440B917396000000F10008${scts}0C050003010201006100620063`,
  `00 000605A04421436587${scts}${scts}00`,
  `00 000100${scts}`,
  `01 0011000B917396000000F10000AA05E8329BFD06`,
  `01 00195A0B917396000000F10004${scts}03010203`,
  `01 00421F0000070491361905030601010A`,
];

const mail = (head: string, body: string) =>
  `From: Ann <ann@example.net>\r\nSubject: +37060000001\r\n${head}\r\n${body}`;
const multipart = mail(
  'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n',
  '--b\r\nContent-Type: text/plain; charset=iso-8859-13\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E0bc=\r\n\r\n' +
    '--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+aGk8L3A+PGJsb2NrcXVvdGU+eDwvYmxvY2txdW90ZT4=\r\n--b--\r\n',
);
const nested = mail(
  'Content-Type: multipart/mixed; boundary="a"\r\n',
  '--a\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?in=C4=8D?=\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--a\r\nContent-Type: application/octet-stream; name=x.txt\r\nContent-Disposition: attachment\r\n\r\ny\r\n--a--\r\n',
);

export const targets: readonly FuzzTarget[] = [
  {
    ...{ name: 'uci', run: uci, longest: 4_096, shortRuns: 25_000 },
    seeds: [
      readFileSync('files/etc/config/sms_gateway'),
      ...text(
        `config rule\n\toption v 'it'\\''s'\n\tlist l "a\\"b"c\\ d\nconfig rule 'x' # y\n\toption a b;`,
        'p q\nc a b\n',
      ),
    ],
    words: [
      'config ',
      'option ',
      'list ',
      'package ',
      "'",
      '"',
      '\\',
      '#',
      ';',
      '\n',
      '\r\n',
      '\0',
      "'\\''",
      'enabled',
    ],
  },
  {
    ...{ name: 'tpdu', run: tpdu, longest: 200, shortRuns: 80_000 },
    seeds: pdus.map((hex) => Buffer.from(fromHex(hex.replaceAll(' ', '')))),
    words: [
      '\x05\x00\x03\x01\x02\x01',
      '\x91',
      '\xd0',
      '\xff\xff',
      '\x24\x01',
      '\x25\x01',
      'application/vnd.wap.mms-message',
    ],
  },
  {
    ...{ name: 'at', run: at, longest: 600, shortRuns: 4_000 },
    seeds: text(
      '\r\n+CMEE: 1\r\n\r\nOK\r\n\r\n+CSQ: 14,99\r\n\r\nOK\r\n',
      '\r\nOK\r\n\r\n> \r\n+CMGS: 12\r\n\r\nOK\r\n+CMTI: "SM",2\r\n',
      '\r\n+CUSD: 1,"text\r\nmore",15\r\n+CDS: 25\r\n0605A04421436587\r\nRING\r\n+CMS ERROR: 304\r\n',
      '\r\n+CMGL: 1,1,,22\r\n07917396090000F0040B917396000000F10000\r\nOK\r\n^BOOT:1\r\n+CREG: 1,"00C3","0A1B"\r\n',
    ),
    words: [
      '\r\n',
      'OK\r\n',
      'ERROR',
      '> ',
      '+CMS ERROR: ',
      '+CME ERROR: ',
      '+CMTI: "SM",',
      '+CDS: ',
      '+CUSD: 0,"',
      '+CMGS: ',
      '+CLIP: "',
      'RING',
      '+CMEE: 1',
    ],
  },
  {
    ...{ name: 'json-rpc', run: jsonRpc, longest: 4_096, shortRuns: 60_000 },
    seeds: text(
      jsonCall('call', ['sms_gateway.cgi', 'request', { script: 'sms_list', method: 'GET', remote_addr: '::1' }]),
      `[${jsonCall('list', ['*']).trim()},{"jsonrpc":"2.0","method":"subscribe","params":["sms.*"]}]\n`,
      jsonCall('unsubscribe', []) + jsonCall('nothing', null),
    ),
    words: [
      '"jsonrpc":"2.0"',
      '"id":',
      '"method":',
      '"params":',
      '"__proto__":',
      '"headers":',
      'null',
      '1e999',
      '\\u0000',
      '\\ud800',
      '[',
      '{',
      '\n',
    ],
  },
  {
    ...{ name: 'ubus', run: ubus, longest: 2_048, shortRuns: 100_000 },
    seeds: [
      encodeMessage(hello),
      Buffer.concat([encodeMessage(hello), encodeMessage(call)]),
      encodeTable({ a: { b: [1, 'x', { c: null }] } }),
    ],
    words: [
      '\x83\x00\x00',
      '\x82\x00\x00',
      '\x81\x00\x00',
      '\x84\x00\x00\x10',
      '\x00\x04data\0\0',
      '\x00\x00\x00\x00',
      '\x00\x09__proto__\0',
    ],
  },
  {
    ...{ name: 'smpp', run: smpp, longest: 2_048, shortRuns: 80_000 },
    seeds: [
      Buffer.concat(requestNames.map((name, n) => pdu(ids[name], bodies[name], n + 1))),
      ...requestNames.map((name, n) => Buffer.concat([Buffer.of(n), ...bodies[name]])),
    ],
    words: [
      '\x04\x24\x00',
      '\x02\x0c\x00\x02',
      '\x02\x0e\x00\x01',
      '\x02\x0f\x00\x01',
      '\x00\x00\x00\x10',
      '260101000000000+',
      '000002000000000R',
      '\x05\x00\x03\x01\x02\x01',
    ],
  },
  {
    ...{ name: 'cgi', run: cgi, longest: 4_096, shortRuns: 50_000 },
    seeds: text(
      '\nusername=user1&password=user_pass&number=%2B37060000001&text=a+b%00\n',
      'application/json\n\n{"number":["+37060000001",2],"text":"\\u010d","__proto__":{"a":1}}',
      'multipart/form-data; boundary="x"\nq=1\n--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nhi\r\n--x--\r\n',
    ),
    words: [
      'multipart/form-data; boundary=',
      'Content-Disposition: form-data; name="',
      '\r\n\r\n',
      '--x',
      '--x--',
      '%',
      '%00',
      '%C4%8D',
      '&',
      '=',
      '__proto__',
      '{"',
      '\xef\xbb\xbf',
    ],
  },
  {
    ...{ name: 'mime', run: mime, longest: 8_192, shortRuns: 12_000 },
    seeds: text(
      mail('', 'hello\r\n-- \r\nAnn\r\n'),
      multipart,
      nested,
      'Subject: =?iso-2022-jp?b?GyRCJCIbKEI=?=\n\nx\n> q\n',
    ),
    words: [
      '--b',
      '--b--',
      '\r\n\r\n',
      'Content-Type: ',
      'multipart/mixed; boundary=b',
      'message/rfc822',
      'text/html',
      'charset=',
      'utf-16',
      'iso-2022-jp',
      'utf-7',
      'base64',
      'quoted-printable',
      '=?utf-8?b?',
      '?=',
      'format=flowed',
      '<blockquote>',
      '&#x110000;',
      "filename*0*=utf-8''",
      'Content-Transfer-Encoding: ',
      'From: ',
    ],
  },
  {
    ...{ name: 'pop3', run: pop3, longest: 2_048, shortRuns: 2_500 },
    seeds: [
      steps(
        '+OK hi\r\n',
        '+OK\r\n',
        '+OK\r\n',
        '+OK\r\n1 5\r\n2 7\r\n.\r\n',
        '+OK\r\n1 a\r\n2 b\r\n.\r\n',
        '+OK\r\nS: x\r\n\r\n..\r\n.\r\n',
        '+OK\r\n',
        '+OK\r\n\r\n.\r\n',
        '+OK\r\n',
        '+OK\r\n',
      ),
      steps('+OK <1@x>\r\n', '-ERR [IN-USE] no\r\n', '+OK\n', '+OK\n.\n'),
    ],
    words: ['+OK', '-ERR ', '\r\n', '.\r\n', '..', '\0', '\n', '999999999999999999', '[SYS/TEMP]'],
  },
  {
    ...{ name: 'smtp', run: smtp, longest: 2_048, shortRuns: 1_000 },
    seeds: [
      steps(
        '220 hi\r\n',
        '250-x\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n250-PIPELINING\r\n250 SIZE 1000000\r\n',
        '235 ok\r\n',
        '250 ok\r\n',
        '250 ok\r\n',
        '354 go\r\n',
        '250 taken\r\n',
        '221 bye\r\n',
      ),
      steps('220 hi\r\n', '250 AUTH LOGIN\r\n', '334 VXNlcm5hbWU6\r\n', '334 UGFzc3dvcmQ6\r\n', '535 5.7.8 no\r\n'),
      steps('220 hi\r\n', '500 ?\r\n', '250 x\r\n', '450 later\r\n'),
    ],
    words: [
      '250-',
      '250 ',
      '334 ',
      '535 ',
      'AUTH PLAIN',
      'AUTH=LOGIN',
      'CRAM-MD5',
      'XOAUTH2',
      'STARTTLS',
      'SMTPUTF8',
      '\r\n',
      '\0',
      '5.1.1 ',
      '421 ',
    ],
  },
  {
    ...{ name: 'http', run: http, longest: 4_096, shortRuns: 2_500 },
    seeds: text(
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 x\r\nRetry-After: 5\r\n\r\n',
      'HTTP/1.0 302 F\r\nLocation: /x\r\n\r\n\0HTTP/1.1 404 N\r\n\r\n',
      'ICY 200 OK\n\n',
    ),
    words: [
      'HTTP/1.1 ',
      '200',
      '302 ',
      'Location: ',
      'http://',
      '\r\n',
      '\r\n\r\n',
      ' folded',
      'Retry-After: ',
      '\0',
      '103 Early Hints',
      '//',
    ],
  },
  {
    ...{ name: 'journal', run: journal, longest: 8_192, shortRuns: 600 },
    seeds: golden.flatMap((file) =>
      text(
        file.slice(0, 4_000),
        file.slice(-4_000).replace(/^[0-9a-f]{8} /gm, ''),
        file.replace(/^[0-9a-f]{8} /gm, '').slice(0, 6_000),
      ),
    ),
    words: [
      '["in",{',
      '["out",{',
      '["note",{',
      '["dlv",{',
      '["journal",{"version":1,"id":',
      '"p":"',
      '"id":',
      '"k":"',
      '"g":1,"s":1,"n":2',
      '},"out",{',
      '}]\n',
      'null',
      '-1',
      '1e308',
      '"submit"',
      '9007199254740991',
    ],
  },
];

/** Throws for a name that no target has. */
export function targetOf(name: string): FuzzTarget {
  const found = targets.find((target) => target.name === name);
  if (found === undefined)
    throw new Error(`no target ${name}; there are: ${targets.map((each) => each.name).join(', ')}`);
  return found;
}
