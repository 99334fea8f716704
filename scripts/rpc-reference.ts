import { errorTable } from '../src/base/errors.ts';
import { limits as webLimits } from '../src/http/rpc-socket.ts';
import { eventNames } from '../src/rpc/events.ts';
import type { Argument, Signature, Signatures } from '../src/rpc/method.ts';
import { cgiSignatures } from '../src/rpc/objects/cgi.ts';
import { gatewaySignatures } from '../src/rpc/objects/gateway.ts';
import { messageSignatures } from '../src/rpc/objects/message/signatures.ts';
import { modemSignatures } from '../src/rpc/objects/modem.ts';
import { moduleSignatures } from '../src/rpc/objects/module.ts';
import { simulatorSignatures } from '../src/rpc/objects/simulator.ts';
import { limits } from '../src/rpc/socket/connection.ts';
import { limits as ubusLimits } from '../src/rpc/ubus/limits.ts';

const objects: Readonly<Record<string, Signatures>> = {
  sms_gateway: gatewaySignatures,
  'sms_gateway.message': messageSignatures,
  'sms_gateway.modem': modemSignatures,
  'sms_gateway.module': moduleSignatures,
  'sms_gateway.cgi': cgiSignatures,
  'sms_gateway.simulator': simulatorSignatures,
};

const introduction = `# RPC reference

Generated from the method tables by \`npx tsx scripts/rpc-docs.ts\`; do not edit.

The gateway offers objects with methods, as ubus does. Arguments and results are flat JSON tables. An argument that is
unknown, missing or of the wrong type is refused. Numbers of messages are integers; times are ISO 8601 in UTC.

## Unix socket

\`/var/run/sms_gateway.sock\` takes JSON-RPC 2.0, one JSON text a line, UTF-8:

| method | params | result |
|---|---|---|
| \`list\` | \`[pattern]\`, optional | object → method → argument → type |
| \`call\` | \`[object, method, args]\`, \`args\` optional | the result of the method |
| \`subscribe\` | \`[pattern]\` | \`patterns\`: all patterns of the connection |
| \`unsubscribe\` | \`[pattern]\`, optional: without it, all | \`patterns\`: those that are left |

    {"jsonrpc":"2.0","id":1,"method":"call","params":["sms_gateway.message","send",{"number":"+37060000001","text":"hi"}]}

A pattern is a name, or the beginning of one and \`*\`. Events come as
\`{"jsonrpc":"2.0","method":"event","params":[name, payload]}\`. Answers come in the order in which calls end, so a
client that sends several at a time matches them by their ids. Requests without an id are carried out and not
answered. The last line needs no newline, and a client may close its side and then read:
its calls go on for ${limits.lingerMs / 1000} s.

Limits: a line of ${limits.lineLength / 1024} KiB, an answer of 1 MiB, a batch of 50, ${limits.connections} connections (more only in the place of one that
has wanted nothing for ${limits.idleMs / 1000} s), 16 patterns a connection, ${limits.inFlight} lines at a time of one connection (further ones wait, also while answers are unread). A client that leaves more than 1 MiB unread
while events come, or reads nothing for 30 s, is cut off.
`;

const ubus = `## ubus

Where there is ubus, the same objects are on it, with their signatures, without a program in between:

    ubus -v list 'sms_gateway*'
    ubus call sms_gateway.message send '{"number":"+37060000001","text":"hi"}'
    ubus listen 'sms_gateway.*'
    ubus subscribe sms_gateway

The daemon registers at \`/var/run/ubus/ubus.sock\` if that file is there when it starts; at another path with
\`--ubus PATH\`, also when ubusd comes only later; nowhere with \`--ubus off\`. When ubusd restarts it registers again within a
second; a name that another process holds is taken as soon as that process leaves.

* An error is a status, and before it the table \`{code, message}\` with the word and the sentence: \`ubus call\` prints it, and
  uhttpd's \`/ubus\` answers \`[status, table]\`. Booleans are \`true\` and \`false\`: 1 is an integer and refused.
* An argument \`ubus_rpc_session\`, which uhttpd and rpcd add, is ignored.
* Every event goes out twice: as the ubus event \`sms_gateway.<event>\`, such as \`sms_gateway.sms.received\`, and to the
  subscribers of the object \`sms_gateway\` as the notification \`<event>\`. Both carry the table below.
* A daemon that is not root publishes with a file in \`/usr/share/acl.d\` only. root may call everything; other users need a file in \`/usr/share/acl.d\`, web users one in \`/usr/share/rpcd/acl.d\`.
* A NUL inside a text becomes U+FFFD: it would end the text.
* Limits: ${ubusLimits.inFlight} calls at a time, of them 48 of \`send\` with \`wait\`, status 11 beyond; ${ubusLimits.callMs / 1000} s a call, whatever \`ubus -t\` says; messages of 1 MiB. While
  ubusd leaves more than 1 MiB unread, events are dropped.
`;

const webSocket = `## WebSocket

With \`--http HOST:PORT\` the same conversation runs over \`ws://HOST:PORT/rpc\`, one JSON text a message, for pages and for
programs such as Node-RED or Home Assistant. A caller is somebody with an account (\`smsgw passwd\`, see
[pages.md](pages.md)), in one of three ways:

* It calls \`session login\` as its first call, within ${webLimits.loginMs / 1000} s:

      {"jsonrpc":"2.0","id":1,"method":"call","params":["session","login",{"username":"admin","password":"…","timeout":3600}]}
      {"jsonrpc":"2.0","id":2,"method":"subscribe","params":["sms.*"]}

* It sends \`Authorization: Bearer TOKEN\` when it connects. TOKEN is the \`ubus_rpc_session\` of a login over \`POST /ubus\`.
* A page of the same server sends its cookie. A page of another site is refused.

Its rights are those of the account, also for events: \`sms.*\` go to who may call \`sms_gateway.message list\`, \`modem.state\` to
\`sms_gateway.modem list\`, and so on. A call without the right answers \`access_denied\`. Beside the objects below there are
\`session\` and \`uci\` as rpcd has them. An open connection keeps its session; when the session ends (\`session destroy\`), it is
closed with code 4001.

Limits: a message of ${webLimits.message / 1024} KiB, a batch of 50, ${webLimits.connections} connections, ${webLimits.inFlight} calls at a time of one connection (further ones wait). A client that does not
answer a ping within ${webLimits.pingMs / 1000} s, or leaves more than 1 MiB unread, is cut off.

\`POST /ubus\` takes the same calls in uhttpd's dialect: \`{"jsonrpc":"2.0","id":1,"method":"call","params":[session, object,
method, args]}\`, the session of a login being 32 zeros, and answers \`[status, table]\`; a body of 64 KiB at most, a batch of 100.
`;

const events = `## Events

| event | payload |
|---|---|
${eventNames.map((name) => `| \`${name}\` | ${payloadOf(name)} |`).join('\n')}
`;

function payloadOf(name: string): string {
  if (name.startsWith('sms.')) return 'the message, with the fields of `sms_gateway.message read`';
  if (name === 'modem.state') return 'the modem, with the fields of `sms_gateway.modem status`';
  if (name === 'call.incoming') return '`modem`, and `number` unless the network hides it; once a call';
  if (name === 'ussd.received') return '`modem`, `text`: a USSD text of the network that nobody asked for';
  if (name === 'module.state') return 'the module, with the fields of `sms_gateway.module list`';
  if (name === 'limit.reached') return '`text`: the limit of SMS that is reached; at most once an hour for each';
  return '`sections`: names of the sections that changed';
}

function errors(): string {
  const rows = Object.entries(errorTable).map(
    ([code, { rpc, ubus, exit }]) => `| \`${code}\` | ${rpc} | ${ubus} | ${exit} |`,
  );
  return `## Errors

An error is \`{"code": number, "message": sentence, "data": {"code": word, "ubus": status}}\`, with \`retry_after\` in \`data\`, seconds, where
it is known when the same call may go well. An error \`too_many\` with the id null and \`retry_after\` says that there was no place for the
connection, and that nothing of it was read; \`smsgw\` and the cgi-bin programs try again for 3 s then. The word is stable. The last
column is the exit code of \`smsgw\`.

| word | JSON-RPC code | ubus status | exit code |
|---|---|---|---|
${rows.join('\n')}
`;
}

function objectText(name: string, signatures: Signatures): string {
  const methods = Object.entries(signatures).map(([method, signature]) => methodText(method, signature));
  return `## ${name}\n\n${methods.join('\n')}`;
}

function methodText(method: string, { help, args, result }: Signature): string {
  const argumentRows = Object.entries(args).map(
    ([name, argument]) => `| \`${name}\` | ${typeText(argument)} | ${argument.help} |`,
  );
  const argumentTable = `| argument | type | |\n|---|---|---|\n${argumentRows.join('\n')}\n`;
  const resultRows = Object.entries(result).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`);
  const resultTable = `| result | |\n|---|---|\n${resultRows.join('\n')}\n`;
  return [`### ${method}\n`, `${help}\n`, ...(argumentRows.length === 0 ? [] : [argumentTable]), resultTable].join(
    '\n',
  );
}

function typeText({ type, required, range, words }: Argument): string {
  const bounds = range === undefined ? '' : ` ${range[0]} to ${range[1]}${type === 'string' ? ' characters' : ''}`;
  const choice = words === undefined ? '' : `: ${words.map((word) => `\`${word}\``).join(', ')}`;
  return `${type}${bounds}${choice}${required ? ', required' : ''}`;
}

/** The text of docs/rpc.md. */
export function rpcReference(): string {
  const sections = Object.entries(objects).map(([name, signatures]) => objectText(name, signatures));
  return [introduction, ubus, webSocket, ...sections, events, errors()].join('\n');
}
