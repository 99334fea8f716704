import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';

/** The input as a connection may hand it over: in pieces of sizes that follow from it. */
export function inPieces(input: Buffer): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let state = crc32(input) | 1;
  for (let at = 0; at < input.length; ) {
    state = Math.imul(state, 1_103_515_245) + 12_345;
    const size = 1 + ((state >>> 16) % ((state >>> 8) % 4 === 0 ? 200 : 9));
    pieces.push(input.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** What `work` gives; undefined when it throws an error of this class, which it may. */
export function unless<T>(allowed: abstract new (...args: never[]) => Error, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof allowed) return undefined;
    throw error;
  }
}

let server: { readonly port: number; steps: Buffer[] } | undefined;

/** ms without a word of the client after which the server goes on. */
const QUIET = 3;

/**
 * The port of a server on the loopback interface that says the first step of the input when a client comes, a further
 * one for each thing that the client sends, also when it waits for more, and closes after the last. A NUL ends a step.
 * One client at a time.
 */
export async function loopbackServer(input: Buffer): Promise<number> {
  server ??= await listen();
  server.steps = stepsOf(input);
  return server.port;
}

function stepsOf(input: Buffer): Buffer[] {
  const steps: Buffer[] = [];
  let from = 0;
  for (let at = input.indexOf(0); at >= 0; at = input.indexOf(0, from)) {
    steps.push(input.subarray(from, at));
    from = at + 1;
  }
  return [...steps, input.subarray(from)].filter(({ length }) => length > 0);
}

async function listen() {
  const listening: Server = createServer({ noDelay: true }, (socket) => {
    const steps = server?.steps ?? [];
    let quiet: NodeJS.Timeout | undefined;
    const say = () => {
      clearTimeout(quiet);
      const step = steps.shift();
      if (step === undefined) return socket.end();
      socket.write(step);
      quiet = setTimeout(say, QUIET);
    };
    socket.on('error', () => undefined);
    socket.on('close', () => clearTimeout(quiet));
    socket.on('data', say);
    say();
  });
  listening.listen(0, '127.0.0.1').unref();
  await once(listening, 'listening');
  return { port: (listening.address() as AddressInfo).port, steps: [] as Buffer[] };
}

export interface FuzzTarget {
  readonly name: string;
  /** Inputs to begin with. */
  readonly seeds: readonly Buffer[];
  /** Words that the language of the input knows. */
  readonly words: readonly string[];
  /** Greatest input, octets. */
  readonly longest: number;
  /** Runs in a short pass: some 20 s. */
  readonly shortRuns: number;
  /** Throws, or rejects, when what must hold does not. */
  readonly run: (input: Buffer) => void | Promise<void>;
}

type Change =
  | { readonly kind: 'octet'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut' | 'double'; readonly at: number; readonly length: number }
  | { readonly kind: 'insert'; readonly at: number; readonly what: Uint8Array };

/** The seeds with some octets and pieces changed. */
function mutated({ seeds, words, longest }: FuzzTarget): fc.Arbitrary<Buffer> {
  const at = fc.nat(longest);
  const what = fc.oneof(
    fc.constantFrom(...words).map((word) => Buffer.from(word, 'latin1')),
    fc.uint8Array({ maxLength: 8 }),
  );
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc.record({ kind: fc.constant('octet' as const), at, value: fc.nat(255) }),
    fc.record({ kind: fc.constantFrom('cut' as const, 'double' as const), at, length: fc.nat(64) }),
    fc.record({ kind: fc.constant('insert' as const), at, what }),
  );
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(change, { maxLength: 12 }))
    .map(([seed, changes]) => changes.reduce(changed, Buffer.from(seed)).subarray(0, longest));
}

function changed(octets: Buffer, change: Change): Buffer {
  const at = change.at % (octets.length + 1);
  const [before, after] = [octets.subarray(0, at), octets.subarray(at)];
  switch (change.kind) {
    case 'octet':
      return Buffer.concat([before, Buffer.of(change.value), after.subarray(1)]);
    case 'cut':
      return Buffer.concat([before, after.subarray(change.length)]);
    case 'double':
      return Buffer.concat([before, after.subarray(0, change.length), after]);
    case 'insert':
      return Buffer.concat([before, change.what, after]);
  }
}

export interface Search {
  readonly runs: number;
  readonly seed: number;
  /** Ends it earlier, ms. */
  readonly limit?: number;
}

/**
 * Runs the seeds, and then inputs made of them: the same ones for the same seed. Resolves to how many; rejects with the
 * shortest input that it found to break the target.
 */
export async function mutate(target: FuzzTarget, { runs, seed, limit }: Search): Promise<number> {
  for (const octets of target.seeds) await target.run(Buffer.from(octets));
  let done = 0;
  await fc.assert(
    fc.asyncProperty(mutated(target), async (input) => {
      await target.run(input);
      done += 1;
    }),
    { numRuns: runs, seed, ...(limit === undefined ? {} : { interruptAfterTimeLimit: limit }) },
  );
  return done;
}
