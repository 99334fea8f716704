import { type EnhancedValidity, readEnhancedValidity, writeEnhancedValidity } from './enhanced-validity.ts';
import type { OctetReader } from './octet-reader.ts';
import type { OctetWriter } from './octet-writer.ts';
import type { RelativeValidity } from './relative-validity.ts';
import { readTimeStamp, type TimeStamp, writeTimeStamp } from './time-stamp.ts';

/** How long the service centre keeps trying, TS 23.040 9.2.3.12. */
export type Validity = RelativeValidity | AbsoluteValidity | EnhancedValidity;

export interface AbsoluteValidity {
  readonly format: 'absolute';
  readonly time: TimeStamp;
}

/** TP-VPF, TS 23.040 9.2.3.3. */
export function validityFormat(validity: Validity | undefined): number {
  switch (validity?.format) {
    case undefined:
      return 0;
    case 'enhanced':
      return 1;
    case 'relative':
      return 2;
    case 'absolute':
      return 3;
  }
}

export function readValidity(reader: OctetReader, format: number): Validity | undefined {
  switch (format) {
    case 1:
      return readEnhancedValidity(reader);
    case 2:
      return { format: 'relative', value: reader.octet('TP-VP') };
    case 3:
      return { format: 'absolute', time: readTimeStamp(reader, 'TP-VP') };
    default:
      return undefined;
  }
}

export function writeValidity(writer: OctetWriter, validity: Validity): void {
  switch (validity.format) {
    case 'relative':
      writer.octet(validity.value);
      break;
    case 'absolute':
      writeTimeStamp(writer, validity.time);
      break;
    case 'enhanced':
      writeEnhancedValidity(writer, validity);
  }
}
