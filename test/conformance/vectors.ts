import { existsSync, readFileSync } from 'node:fs';

/** Test vectors from public suites live beside the project, not in it. */
const FOLDER = new URL('../../../shared/vectors/', import.meta.url);

const present = existsSync(FOLDER);
// A clone alone is whole. Who has the vectors and wants to be sure that they are used, says so.
if (!present && process.env['TEST_VECTORS'] === 'required') throw new Error(`no test vectors in ${FOLDER.pathname}`);

/** Why vector tests are skipped; false when they run. */
export const skipVectors: false | string = present ? false : 'no test vectors beside the project';

export type Json = Readonly<Record<string, unknown>>;

export function readVectors<Row>(file: string): readonly Row[] {
  const lines = readFileSync(new URL(file, FOLDER), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

export const readBytes = (file: string): Buffer => readFileSync(new URL(file, FOLDER));

export function readTable<Table>(file: string): Table {
  return JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
}

/** A vector of pdu-vectors.jsonl or pdu-vectors-issues.jsonl. */
export interface PduVector {
  readonly id: string;
  readonly pdu: string;
  readonly has_smsc: boolean;
  readonly expect: Json;
  readonly direction?: string;
  readonly tpdu_direction?: 'MO' | 'MT';
  readonly tpdu_length?: number;
  readonly lenient?: boolean;
  readonly source_defect?: string;
  readonly group?: string;
  readonly reassembled_text?: string;
  readonly reassembled_data_hex?: string;
}

/** A vector of pdu-encode.jsonl. */
export interface EncodeVector {
  readonly id: string;
  readonly kind: string;
  readonly input: Json;
  readonly expect: Json;
  readonly informational?: boolean;
}
