/**
 * SMS transfer protocol data units (3GPP TS 23.040) and their alphabets (TS 23.038). Pure functions over octets; the
 * only error they throw is SmsError.
 */
export { type Address, addressOf, type NumberType, nameAddress } from './address.ts';
export { decodeSeptets, encodeSeptets } from './alphabet/gsm7.ts';
export { NO_SHIFT, type Shift, shiftOf } from './alphabet/national.ts';
export { packSeptets, packUssd, unpackSeptets, unpackUssd } from './alphabet/packing.ts';
export { decodeUcs2, encodeUcs2 } from './alphabet/ucs2.ts';
export { type Concatenation, concatenationElement, concatenationOf } from './concatenation.ts';
export {
  type Alphabet,
  type DataCoding,
  decodeDcs,
  encodeDcs,
  type MessageClass,
  type MessageWaiting,
} from './dcs.ts';
export { type DeliveryStatus, statusOf, statusReason } from './delivery-status.ts';
export { refusingText, SmsError, type SmsErrorCode } from './error.ts';
export { fromHex, toHex } from './hex.ts';
export type { InformationElement } from './information-element.ts';
export { type MmsNotification, mmsText, readMmsNotification, WAP_PUSH_PORT } from './mms-notification.ts';
export type { Reading } from './octet-reader.ts';
export { decodePdu, encodePdu, type Pdu } from './pdu.ts';
export { type Ports, portsElement, portsOf } from './ports.ts';
export { isSilent, isSimDownload, replaceType } from './protocol-identifier.ts';
export { groupKey, type PartRecord, PartSet, type Placement, placePart } from './reassembly.ts';
export { relativeSeconds, relativeValidity } from './relative-validity.ts';
export { type Segmentation, type SegmentOptions, segment } from './segmentation/segment.ts';
export { segmentData } from './segmentation/segment-data.ts';
export type { Part, SplitOptions } from './segmentation/split.ts';
export { joinData, joinParts, octetText, PART_MISSING, type PartContent, userDataText } from './text.ts';
export { type TimeStamp, timeStamp } from './time-stamp.ts';
export { decodeTpdu } from './tpdu/decode.ts';
export { type DeliverFields, encodeDeliver } from './tpdu/deliver.ts';
export { encodeStatusReport, type StatusReportFields } from './tpdu/status-report.ts';
export { encodeSubmit, type SubmitFields } from './tpdu/submit.ts';
export type {
  Command,
  Deliver,
  DeliverReport,
  Direction,
  StatusReport,
  Submit,
  SubmitReport,
  Tpdu,
} from './tpdu/types.ts';
export { toUserData, type UserData, udhOf } from './user-data.ts';
export type { Validity } from './validity.ts';
export { indicationText, type WaitingIndication, waitingIndications } from './waiting-indication.ts';
