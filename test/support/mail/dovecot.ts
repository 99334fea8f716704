import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePorts } from '../free-port.ts';
import { end } from '../programs.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { greets } from './greeting.ts';
import { handOver, removeFolder, serverFolder, serverUser } from './server-folder.ts';

/** A real dovecot-pop3d on the loopback, with accounts `<name>` / `secret` and a Maildir for each. */
export class Dovecot {
  readonly folder = serverFolder();
  readonly certificates: Certificates;
  #process: ChildProcess | undefined;
  #ports: readonly number[] = [];
  #mails = 0;

  constructor(accounts: readonly string[]) {
    this.certificates = makeCertificates(this.folder);
    for (const account of accounts)
      for (const kind of ['cur', 'new', 'tmp']) mkdirSync(this.#maildir(account, kind), { recursive: true });
    const users = accounts.map((name) => `${name}:{PLAIN}secret::::::\n`);
    writeFileSync(join(this.folder, 'users'), users.join(''));
  }

  /** Plain, and STLS. */
  get port(): number {
    return this.#ports[0] ?? 0;
  }

  get tlsPort(): number {
    return this.#ports[1] ?? 0;
  }

  async start(): Promise<void> {
    this.#ports = await freePorts(2);
    writeFileSync(join(this.folder, 'dovecot.conf'), this.#config());
    handOver(this.folder);
    const { uid, gid } = serverUser();
    const child = spawn('dovecot', ['-F', '-c', join(this.folder, 'dovecot.conf')], {
      ...{ uid, gid, stdio: ['ignore', 'ignore', 'pipe'] },
    });
    this.#process = child;
    let complaint = '';
    child.stderr?.on('data', (text) => {
      complaint += text;
    });
    for (const end = Date.now() + 60_000; !(await greets(this.port)); await wait(20)) {
      if (Date.now() < end && child.exitCode === null) continue;
      throw new Error(`dovecot does not start: ${complaint}${this.log}`);
    }
  }

  /** Ends it; the mails stay. */
  async stop(): Promise<void> {
    await end(this.#process);
  }

  async remove(): Promise<void> {
    await this.stop();
    removeFolder(this.folder);
  }

  get log(): string {
    try {
      return readFileSync(join(this.folder, 'log'), 'utf8');
    } catch {
      return '';
    }
  }

  /** Puts mails, as they are on the wire, into an account. */
  deliver(account: string, ...mails: readonly (string | Buffer)[]): void {
    for (const mail of mails) {
      this.#mails += 1;
      const path = this.#maildir(account, 'new', `${1_700_000_000 + this.#mails}.M${this.#mails}P1.test`);
      writeFileSync(path, mail);
      handOver(path);
    }
  }

  /** How many mails the account has. */
  count(account: string): number {
    return ['cur', 'new'].reduce((sum, kind) => sum + readdirSync(this.#maildir(account, kind)).length, 0);
  }

  /** Whether the account's mails can be deleted. */
  protect(account: string, on: boolean): void {
    for (const kind of ['cur', 'new']) chmodSync(this.#maildir(account, kind), on ? 0o555 : 0o755);
  }

  empty(account: string): void {
    for (const kind of ['cur', 'new']) {
      for (const name of readdirSync(this.#maildir(account, kind))) rmSync(this.#maildir(account, kind, name));
    }
  }

  #maildir(account: string, ...path: readonly string[]): string {
    return join(this.folder, 'mail', account, ...path);
  }

  #config(): string {
    const { name, group, uid, gid } = serverUser();
    const { certificate, key } = this.certificates;
    return `
base_dir = ${this.folder}/run
state_dir = ${this.folder}/run
log_path = ${this.folder}/log
protocols = pop3
listen = 127.0.0.1
default_internal_user = ${name}
default_internal_group = ${group}
default_login_user = ${name}
first_valid_uid = 1
first_valid_gid = 1
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:${this.folder}/mail/%u
mail_fsync = never
ssl = yes
ssl_cert = <${certificate}
ssl_key = <${key}
passdb {
  driver = passwd-file
  args = ${this.folder}/users
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${this.folder}/mail/%u
}
service anvil {
  chroot =
  # No waiting after wrong passwords.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service pop3-login {
  chroot =
  inet_listener pop3 {
    port = ${this.#ports[0]}
  }
  inet_listener pop3s {
    port = ${this.#ports[1]}
    ssl = yes
  }
}
service stats {
  client_limit = 200
}
`;
  }
}
