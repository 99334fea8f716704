import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';
import { FaultLog } from '../base/fault-log.ts';
import type { JsonObject } from '../base/json.ts';
import type { Logger } from '../base/log.ts';
import { exposureOf } from '../base/private-files.ts';
import { ConfigWatch } from '../config/watch.ts';

/** PEM files: the certificate with its chain, and its private key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** TLS as a server speaks it: forward secrecy, and ciphers that prove what they hide. */
const serverTls = {
  minVersion: 'TLSv1.2',
  ciphers: [
    ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
    ...['ECDHE+AESGCM', 'ECDHE+CHACHA20', '!aNULL'],
  ].join(':'),
  honorCipherOrder: true,
} as const satisfies SecureContextOptions;

const DAY_MS = 86_400_000;
/** Before the end of its validity, a certificate is complained about. */
const WARN_MS = 7 * DAY_MS;

interface Loaded {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
  readonly certificate: X509Certificate;
}

export interface ServerCertificateOptions {
  readonly files: CertificateFiles;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The certificate of a TLS server. Its files are read again when they change: new connections get the new one, open ones
 * go on. One that is unreadable, expired, or not of its key leaves the old one in use; log and status say so.
 */
export class ServerCertificate {
  readonly #options: ServerCertificateOptions;
  readonly #faults: FaultLog;
  #watches: readonly ConfigWatch[] = [];
  #loaded: Loaded | undefined;
  #error: string | undefined;
  #cancelDaily = () => {};
  #stopped = false;
  #use: (options: SecureContextOptions) => void = () => {};
  /** One reading at a time. */
  #reading: Promise<boolean> = Promise.resolve(true);

  constructor(options: ServerCertificateOptions) {
    this.#options = options;
    this.#faults = new FaultLog(options.log);
  }

  get files(): CertificateFiles {
    return this.#options.files;
  }

  /** Undefined while there has been no good one. */
  get context(): SecureContext | undefined {
    return this.#loaded?.context;
  }

  /** Why the files are not what is in use, or what is wrong with that. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Gives the certificate, once there is a good one, and each that takes its place. */
  use(apply: (options: SecureContextOptions) => void): void {
    this.#use = apply;
    if (this.#loaded !== undefined) apply(this.#loaded.options);
  }

  /** Reads the files, and watches them until `stop`. Never rejects. */
  async start(): Promise<void> {
    const { files, clock, log } = this.#options;
    this.#watches = [...new Set([files.cert, files.key])].map(
      (path) =>
        new ConfigWatch({
          ...{ directory: dirname(path), file: basename(path), clock, log },
          changed: () => this.#read(),
        }),
    );
    for (const watch of this.#watches) watch.start();
    await this.#read();
    if (!this.#stopped) this.#daily();
  }

  stop(): void {
    this.#stopped = true;
    for (const watch of this.#watches) watch.stop();
    this.#watches = [];
    this.#cancelDaily();
  }

  status(): JsonObject {
    const { validTo, subject } = this.#loaded?.certificate ?? {};
    return {
      ...(subject !== undefined && { subject: subject.replaceAll('\n', ', ') }),
      ...(validTo !== undefined && { expires: new Date(validTo).toISOString() }),
      ...(this.#error !== undefined && { error: this.#error }),
    };
  }

  /** Resolves when the files are not being read. */
  async idle(): Promise<void> {
    await this.#reading;
  }

  #read(): Promise<boolean> {
    this.#reading = this.#reading.then(() => this.#load());
    return this.#reading;
  }

  /** Whether the files are in use now, or will not be before they change again. */
  async #load(): Promise<boolean> {
    const { files, log } = this.#options;
    try {
      const loaded = await load(files);
      const now = this.#options.clock.now();
      const end = Date.parse(loaded.certificate.validTo);
      // At the start of a router the clock may stand in the past or the future: a certificate is better than none.
      if (end <= now && this.#loaded !== undefined && Date.parse(this.#loaded.certificate.validTo) > end) {
        this.#complain(`the certificate in ${files.cert} has expired on ${day(end)}; the one before stays in use`);
        return true;
      }
      if (this.#loaded?.certificate.fingerprint256 !== loaded.certificate.fingerprint256) {
        log.info(`certificate ${files.cert} in use, valid until ${day(end)}`);
      }
      this.#loaded = loaded;
      this.#use(loaded.options);
      await this.#checkMode(files.key);
      this.#checkValidity();
      return true;
    } catch (error) {
      const consequence = this.#loaded === undefined ? 'nobody is served with it' : 'the one before stays in use';
      this.#complain(`certificate: ${describeError(error)}; ${consequence}`);
      // Of two files one comes first: the other may have no event any more.
      return false;
    }
  }

  /** A renewal may have written it with another mode. */
  async #checkMode(key: string): Promise<void> {
    const exposure = await exposureOf(key, 'the private key');
    if (exposure === undefined) this.#faults.over('mode');
    else this.#faults.fault('mode', exposure);
  }

  #checkValidity(): void {
    const { files, clock } = this.#options;
    const end = Date.parse(this.#loaded?.certificate.validTo ?? '');
    if (end <= clock.now()) this.#complain(`the certificate in ${files.cert} has expired on ${day(end)}`);
    else if (end <= clock.now() + WARN_MS) this.#complain(`the certificate in ${files.cert} expires on ${day(end)}`);
    else this.#fine();
  }

  #daily(): void {
    this.#cancelDaily = this.#options.clock.after(DAY_MS, () => {
      this.#daily();
      void this.#read();
    });
  }

  #complain(text: string): void {
    this.#error = text;
    this.#faults.fault('certificate', text);
  }

  #fine(): void {
    this.#error = undefined;
    this.#faults.over('certificate');
  }
}

async function load({ cert: certFile, key: keyFile }: CertificateFiles): Promise<Loaded> {
  const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
  const certificate = parsed(() => new X509Certificate(cert), `${certFile} holds no certificate`);
  const privateKey = parsed(() => createPrivateKey(key), `${keyFile} holds no private key that is readable as it is`);
  if (!certificate.checkPrivateKey(privateKey)) throw new Error(`${keyFile} is not the key of ${certFile}`);
  const options = { ...serverTls, cert, key };
  return { options, context: createSecureContext(options), certificate };
}

/** OpenSSL's own words name a routine, and no file. */
function parsed<T>(parse: () => T, failure: string): T {
  try {
    return parse();
  } catch {
    throw new Error(failure);
  }
}

const day = (ms: number): string => (Number.isNaN(ms) ? 'an unknown day' : new Date(ms).toISOString().slice(0, 10));
