/** Writes docs/rpc.md from the method tables. */
import { writeFile } from 'node:fs/promises';
import { rpcReference } from './rpc-reference.ts';

await writeFile('docs/rpc.md', rpcReference());
