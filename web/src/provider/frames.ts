/**
 * The frames of the y-websocket wire: `varUint type, payload`, one message in each frame.
 *
 * Type 100 is Pairloom's own: a varString that holds one control message as JSON.
 */
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";

export const enum Frame {
  Sync = 0,
  Awareness = 1,
  Auth = 2,
  QueryAwareness = 3,
  Control = 100,
}

export const enum Step {
  StateVector = 0,
  Missing = 1,
  Update = 2,
}

export type Incoming =
  | { kind: "sync"; step: Step; payload: Uint8Array }
  | { kind: "awareness"; payload: Uint8Array }
  | { kind: "denied"; reason: string }
  | { kind: "query-awareness" }
  | { kind: "control"; json: string }
  | { kind: "unknown"; type: number };

export function syncFrame(step: Step, payload: Uint8Array): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, Frame.Sync);
    encoding.writeVarUint(encoder, step);
    encoding.writeVarUint8Array(encoder, payload);
  });
}

export function awarenessFrame(payload: Uint8Array): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, Frame.Awareness);
    encoding.writeVarUint8Array(encoder, payload);
  });
}

export function controlFrame(message: object): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, Frame.Control);
    encoding.writeVarString(encoder, JSON.stringify(message));
  });
}

/** Decodes one frame. Throws if it is cut short. */
export function readFrame(bytes: Uint8Array): Incoming {
  const decoder = decoding.createDecoder(bytes);
  const type = decoding.readVarUint(decoder);
  switch (type) {
    case Frame.Sync: {
      const step = decoding.readVarUint(decoder);
      if (step > Step.Update) return { kind: "unknown", type };
      return { kind: "sync", step, payload: decoding.readVarUint8Array(decoder) };
    }
    case Frame.Awareness:
      return { kind: "awareness", payload: decoding.readVarUint8Array(decoder) };
    case Frame.Auth:
      decoding.readVarUint(decoder);
      return { kind: "denied", reason: decoding.readVarString(decoder) };
    case Frame.QueryAwareness:
      return { kind: "query-awareness" };
    case Frame.Control:
      return { kind: "control", json: decoding.readVarString(decoder) };
    default:
      return { kind: "unknown", type };
  }
}

/** Whether an update holds no edit and no deletion (`00 00`). */
export function isEmptyUpdate(update: Uint8Array): boolean {
  return update.length <= 2 && update.every((byte) => byte === 0);
}
