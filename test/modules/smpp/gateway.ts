import type { Test } from 'tap';
import { testFolder } from '../../support/folder.ts';
import { freePorts } from '../../support/free-port.ts';
import { ModuleRig, type ModuleRigOptions } from '../../support/module-rig.ts';
import { until } from '../../support/outbox-rig.ts';
import { type BindName, type Credentials, SmppClient } from './client.ts';

type Options = Readonly<Record<string, string | readonly string[]>>;

export const section = (type: string, name: string, options: Options): string => {
  const lines = Object.entries(options).flatMap(([key, value]) =>
    typeof value === 'string' ? [`\toption ${key} '${value}'\n`] : value.map((item) => `\tlist ${key} '${item}'\n`),
  );
  return `config ${type} '${name}'\n${lines.join('')}\n`;
};

type GatewayOptions = Partial<ModuleRigOptions> & { readonly folder?: string };

/** The SMPP server on a real store with scripted modems. The clock stands still. */
export class SmppGateway {
  readonly port: number;
  readonly tlsPort: number;
  readonly #clients: SmppClient[] = [];
  #rig: ModuleRig;

  static async open(t: Test, options: Options = {}, more = '', rigOptions: GatewayOptions = {}) {
    const { folder = testFolder(t), ...rest } = rigOptions;
    const [port = 0, tlsPort = 0] = await freePorts(2);
    const own = section('smpp', 'smpp', { enabled: '1', port: `${port}`, ...options });
    const config = (own + more).replaceAll('TLS_PORT', `${tlsPort}`);
    const rig = await ModuleRig.open(folder, { config, ...rest });
    const gateway = new SmppGateway(rig, port, tlsPort);
    t.teardown(() => gateway.close());
    await gateway.running();
    return gateway;
  }

  constructor(rig: ModuleRig, port: number, tlsPort: number) {
    this.#rig = rig;
    this.port = port;
    this.tlsPort = tlsPort;
  }

  get rig(): ModuleRig {
    return this.#rig;
  }

  async connect(): Promise<SmppClient> {
    const client = await SmppClient.connect(this.port);
    this.#clients.push(client);
    return client;
  }

  async bound(as: BindName = 'bind_transceiver', credentials: Credentials = {}): Promise<SmppClient> {
    const client = await SmppClient.bound(this.port, as, credentials);
    this.#clients.push(client);
    return client;
  }

  /** What a new process finds after this one was killed. */
  async crash(): Promise<void> {
    this.#drop();
    this.#rig = await this.#rig.crash();
    await this.running();
  }

  async running(): Promise<void> {
    await until(() => {
      const status = this.#rig.modules.list().find(({ name }) => name === 'smpp');
      if (status?.error !== undefined) throw new Error(status.error);
      return status?.state === 'running';
    }, 'the server runs');
  }

  /** Resolves when the server has closed the connection of a client that it refused: it leaves that 2 s to see why. */
  async refused(client: SmppClient): Promise<void> {
    await this.#rig.clock.advance(2_000);
    await client.closed;
  }

  async close(): Promise<void> {
    this.#drop();
    await this.#rig.close();
  }

  #drop(): void {
    for (const client of this.#clients.splice(0)) client.destroy();
  }
}
