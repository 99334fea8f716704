import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePorts } from '../free-port.ts';
import { end } from '../programs.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { greets } from './greeting.ts';
import { handOver, removeFolder, serverFolder, serverUser } from './server-folder.ts';

/**
 * A real exim4 on the loopback, for the domain `test.example`: takes mail from whoever logs in as `gateway` / `secret`
 * over TLS, and puts it into a Maildir for each local part that it knows.
 */
export class Exim {
  readonly folder = serverFolder();
  readonly certificates: Certificates;
  readonly #mailboxes: string;
  #process: ChildProcess | undefined;
  #ports: readonly number[] = [];

  /** `mailboxes`: folder of the Maildirs, one that another server reads perhaps. */
  constructor(mailboxes?: string) {
    this.certificates = makeCertificates(this.folder);
    this.#mailboxes = mailboxes ?? join(this.folder, 'mail');
    mkdirSync(this.#mailboxes, { recursive: true });
  }

  /** Plain, and STARTTLS. */
  get port(): number {
    return this.#ports[0] ?? 0;
  }

  get tlsPort(): number {
    return this.#ports[1] ?? 0;
  }

  async start(): Promise<void> {
    this.#ports = await freePorts(2);
    mkdirSync(join(this.folder, 'spool'));
    const file = join(this.folder, 'exim.conf');
    writeFileSync(file, this.#config());
    handOver(this.folder);
    const { uid, gid } = serverUser();
    const child = spawn('exim4', ['-bdf', '-C', file], { uid, gid, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    let complaint = '';
    child.stderr?.on('data', (text) => {
      complaint += text;
    });
    for (const end = Date.now() + 60_000; !(await greets(this.port)); await wait(20)) {
      if (Date.now() < end && child.exitCode === null) continue;
      throw new Error(`exim4 does not start: ${complaint}${this.log}`);
    }
  }

  async remove(): Promise<void> {
    await end(this.#process);
    removeFolder(this.folder);
  }

  get log(): string {
    const path = join(this.folder, 'log-main');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** The mails that a local part has got, as they lie in its Maildir; waits until there are as many. */
  async mails(account: string, atLeast: number): Promise<readonly string[]> {
    const folder = join(this.#mailboxes, account, 'new');
    for (const end = Date.now() + 60_000; ; await wait(20)) {
      const names = existsSync(folder) ? readdirSync(folder).sort() : [];
      if (names.length >= atLeast) return names.map((name) => readFileSync(join(folder, name), 'utf8'));
      if (Date.now() > end) throw new Error(`${names.length} mails came for ${account}: ${this.log}`);
    }
  }

  #config(): string {
    const { certificate, key } = this.certificates;
    return `
primary_hostname = mail.test.example
domainlist local_domains = test.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${this.#ports.join(' : ')}
tls_on_connect_ports = ${this.#ports[1]}
tls_advertise_hosts = *
tls_certificate = ${certificate}
tls_privatekey = ${key}
spool_directory = ${this.folder}/spool
log_file_path = ${this.folder}/log-%s
pid_file_path = ${this.folder}/pid
exim_user = ${serverUser().name}
exim_group = ${serverUser().group}
deliver_drop_privilege = true
never_users =
rfc1413_query_timeout = 0s
host_lookup =
qualify_domain = test.example
auth_advertise_hosts = \${if eq{$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = recipient
begin acl
recipient:
  deny message = relay not permitted
       !authenticated = *
       !domains = +local_domains
  deny message = authentication required
       !authenticated = *
  require verify = recipient
  accept
begin routers
known:
  driver = accept
  domains = +local_domains
  local_parts = dsearch;${this.#mailboxes}
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = ${this.#mailboxes}/$local_part_data
  maildir_format
  create_directory
  delivery_date_add
  envelope_to_add
  return_path_add
begin retry
* * F,1h,1m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{$auth2}{gateway}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2
`;
  }
}
