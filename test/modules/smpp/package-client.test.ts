import { once } from 'node:events';
import { createRequire } from 'node:module';
import t, { type Test } from 'tap';
import { selfSigned } from '../../support/certificate.ts';
import { testFolder } from '../../support/folder.ts';
import { numberOf } from '../../support/outbox-rig.ts';
import { SmppGateway } from './gateway.ts';

/*
 * The package `smpp` as a client: a second copy of it, as it comes, with the filters that the server takes out of its own.
 */
type Pdu = Readonly<Record<string, unknown>> & { response(fields?: object): object };

interface PackageSession {
  on(event: 'pdu' | 'close' | 'error' | 'connect' | 'secureConnect', listener: (pdu: Pdu) => void): void;
  once: PackageSession['on'];
  send(pdu: object, answered?: (pdu: Pdu) => void): boolean;
  destroy(): void;
}

interface Package {
  connect(options: object): PackageSession;
  readonly PDU: new (command: string, fields?: object) => object;
}

function freshPackage(): Package {
  const require = createRequire(import.meta.url);
  const forget = () => {
    for (const file of Object.keys(require.cache)) if (/node_modules.smpp./.test(file)) delete require.cache[file];
  };
  forget();
  const fresh: Package = require('smpp');
  forget(); // the server, loaded later, must not get this copy
  return fresh;
}

const smpp = freshPackage();

class PackageClient {
  readonly #session: PackageSession;
  readonly #delivered: Pdu[] = [];
  #wake: () => void = () => undefined;

  static async bound(t: Test, options: object): Promise<PackageClient> {
    const session = smpp.connect(options);
    await once(session as unknown as NodeJS.EventEmitter, 'tls' in options ? 'secureConnect' : 'connect');
    const client = new PackageClient(session);
    t.teardown(() => session.destroy());
    const answer = await client.request('bind_transceiver', { system_id: 'admin', password: 'admin01' });
    t.match(answer, { command: 'bind_transceiver_resp', command_status: 0, sc_interface_version: 0x34 });
    return client;
  }

  private constructor(session: PackageSession) {
    this.#session = session;
    session.on('error', () => undefined);
    session.on('pdu', (pdu) => {
      if (pdu['command'] !== 'deliver_sm') return;
      session.send(pdu.response());
      this.#delivered.push(pdu);
      this.#wake();
    });
  }

  request(command: string, fields: object = {}): Promise<Pdu> {
    return new Promise((resolve) => this.#session.send(new smpp.PDU(command, fields), resolve));
  }

  /** The next deliver_sm. */
  async delivered(): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      const pdu = this.#delivered.shift();
      if (pdu !== undefined) return { ...pdu, text: textOf(pdu['message_payload'] ?? pdu['short_message']) };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const textOf = (field: unknown): unknown => (field as { readonly message?: unknown }).message;

const to = { dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: numberOf(1).slice(1) };
const LONG = 'Žąsis ėda grūdą. '.repeat(40);

t.test('texts as the package encodes them, receipts, and received messages as it reads them', async (t) => {
  const gateway = await SmppGateway.open(t);
  const { rig } = gateway;
  const client = await PackageClient.bound(t, { host: '127.0.0.1', port: gateway.port });
  t.match(await client.request('enquire_link'), { command: 'enquire_link_resp', command_status: 0 });

  const submits: readonly (readonly [fields: object, text: string])[] = [
    [{ short_message: 'plain ASCII', data_coding: 1 }, 'plain ASCII'],
    [{ short_message: '@ € [x]', data_coding: 0 }, '@ € [x]'],
    [{ short_message: 'déjà vu', data_coding: 3 }, 'déjà vu'],
    [{ short_message: 'ąčęėį', data_coding: 8 }, 'ąčęėį'],
    [{ message_payload: 'x'.repeat(400), data_coding: 1 }, 'x'.repeat(400)],
  ];
  for (const [fields, text] of submits) {
    const answer = await client.request('submit_sm', { ...to, registered_delivery: 1, ...fields });
    t.match(answer, { command_status: 0, message_id: /^[0-9]+$/ });
    const message = await rig.store.outbox.settled(Number(answer['message_id']) as never, AbortSignal.timeout(60_000));
    t.equal(message.text, text);
    for (const { mr } of message.partStates) {
      await rig.store.outbox.report({ modem: 'gsm0', mr: mr ?? 0, number: numberOf(1), status: 0, discharged: 0 });
    }
    t.match(await client.delivered(), {
      ...{ esm_class: 4, receipted_message_id: answer['message_id'], message_state: 2 },
      text: new RegExp(`^id:${answer['message_id']} .* stat:DELIVRD`),
    });
  }

  await rig.receive(numberOf(2), 'Labas @ €');
  t.match(await client.delivered(), {
    ...{ source_addr: numberOf(2).slice(1), source_addr_ton: 1, data_coding: 0 },
    text: 'Labas @ €',
  });
  await rig.receive('Bankas', 'ąčęėį');
  t.match(await client.delivered(), {
    ...{ source_addr: 'Bankas', source_addr_ton: 5, data_coding: 8 },
    text: 'ąčęėį',
  });
  await rig.receive(numberOf(2), LONG);
  t.match(await client.delivered(), { text: LONG });
  t.match(await client.request('unbind'), { command: 'unbind_resp', command_status: 0 });
});

t.test('over TLS, the certificate verified', async (t) => {
  const folder = testFolder(t);
  const { file, keyFile, cert } = selfSigned(folder);
  const gateway = await SmppGateway.open(t, { tls_port: 'TLS_PORT', tls_cert: file, tls_key: keyFile }, '', { folder });
  const client = await PackageClient.bound(t, { tls: true, host: '127.0.0.1', port: gateway.tlsPort, ca: [cert] });
  t.match(await client.request('submit_sm', { ...to, short_message: 'safe', data_coding: 1 }), { command_status: 0 });
});
