/**
 * Connects a Y.Doc and its Awareness to one room over the y-websocket wire with control messages.
 *
 * Edits made while there is no connection stay in the document (and in the offline copy) and reach the
 * server through the sync steps of the next connection; nothing is queued beside the document.
 */
import {
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
  type Awareness,
} from "y-protocols/awareness";
import * as Y from "yjs";
import type { AnyEvent, AnyRequest, Error as ErrorEvent } from "../messages";
import { Backoff } from "./backoff";
import { explainClose, isFinal } from "./closing";
import { awarenessFrame, controlFrame, isEmptyUpdate, readFrame, Step, syncFrame } from "./frames";
import { SavingLedger } from "./ledger";
import { saveState, type SaveState } from "./saving";

/** The server echoes presence every 15 s, so silence for this long means that the connection is dead. */
const SILENCE_MS = 45_000;
const CONNECT_MS = 10_000;
const PROBE_MS = 4_000;
const ANSWER_MS = 30_000;

/** Raised when the server refuses a request, or cannot be asked. The message is for people. */
export class RequestRefused extends Error {
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

export interface ProviderOptions {
  /** Address to connect to; asked for anew at each attempt, since the person's name is part of it. */
  url: () => string;
  doc: Y.Doc;
  awareness: Awareness;
  /** Edits that an earlier visit left unsaved. */
  waiting?: number;
  onSaving: (state: SaveState) => void;
  onEvent: (event: AnyEvent) => void;
  /** Something that people should read, such as that they may only read. */
  onProblem: (message: string) => void;
  openSocket?: (url: string) => WebSocket;
  random?: () => number;
}

interface Pending {
  resolve: (event: AnyEvent) => void;
  reject: (error: RequestRefused) => void;
  timer: ReturnType<typeof setTimeout>;
}

export class RoomProvider {
  readonly #options: ProviderOptions;
  readonly #ledger: SavingLedger;
  readonly #backoff: Backoff;
  readonly #pending = new Map<number, Pending>();
  #socket: WebSocket | null = null;
  #open = false;
  #synced = false;
  #offered = false;
  #everConnected = false;
  #ended: string | null = null;
  #refused: string | null = null;
  #goodbye: string | null = null;
  #lastRequest = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #silenceTimer: ReturnType<typeof setTimeout> | undefined;
  #probeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ProviderOptions) {
    this.#options = options;
    this.#ledger = new SavingLedger(options.waiting ?? 0);
    this.#backoff = new Backoff(options.random);
    options.doc.on("update", this.#docUpdated);
    options.awareness.on("update", this.#awarenessUpdated);
  }

  /** Connects now, unless there is a connection or the server said not to come back. */
  connect(): void {
    if (this.#socket || this.#ended !== null) return;
    clearTimeout(this.#retryTimer);
    const open = this.#options.openSocket ?? ((url) => new WebSocket(url));
    const socket = open(this.#options.url());
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#goodbye = null;
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = (message) => this.#received(socket, message.data);
    socket.onclose = (event) => this.#closed(socket, event.code, event.reason);
    this.#expect(CONNECT_MS);
    this.#tell();
  }

  /** The network or the page is back: connect at once, or find out whether the connection still lives. */
  wake(): void {
    if (!this.#socket) this.connect();
    else this.probe();
  }

  /** Drops the connection unless the server is heard within a few seconds. */
  probe(): void {
    if (!this.#open || this.#probeTimer !== undefined) return;
    this.#sendControl({ type: "ping" });
    this.#probeTimer = setTimeout(() => this.#drop(), PROBE_MS);
  }

  /** Sends a request; resolves with its answer, rejects with RequestRefused. */
  request(message: AnyRequest): Promise<AnyEvent> {
    if (!this.#open) {
      const text = "There is no connection to the server; try again when it is back.";
      return Promise.reject(new RequestRefused(text, "offline"));
    }
    const id = ++this.#lastRequest;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new RequestRefused("The server did not answer within 30 seconds; try again.", "timeout"));
      }, ANSWER_MS);
      this.#pending.set(id, { resolve, reject, timer });
      this.#sendControl({ ...message, id });
    });
  }

  /** Tells the others that this person is gone; for when the page goes away. */
  leave(): void {
    removeAwarenessStates(this.#options.awareness, [this.#options.doc.clientID], "leave");
  }

  /** Ends the connection for good. */
  destroy(): void {
    this.#ended = "This page was closed.";
    this.leave();
    this.#drop();
    clearTimeout(this.#retryTimer);
    this.#options.doc.off("update", this.#docUpdated);
    this.#options.awareness.off("update", this.#awarenessUpdated);
  }

  get saving(): SaveState {
    return saveState({
      ended: this.#ended,
      everConnected: this.#everConnected,
      online: this.#open,
      synced: this.#synced,
      waiting: this.#ledger.waiting,
      unsaved: this.#ledger.unsaved,
      refused: this.#refused,
    });
  }

  #opened(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    const { doc, awareness } = this.#options;
    this.#open = true;
    this.#everConnected = true;
    this.#ledger.connected();
    this.#send(syncFrame(Step.StateVector, Y.encodeStateVector(doc)));
    // Set again, so that its clock is newer than what others remember of it from before a lost connection.
    if (awareness.getLocalState() !== null) awareness.setLocalState(awareness.getLocalState());
    this.#expect(SILENCE_MS);
    this.#tell();
  }

  #received(socket: WebSocket, data: unknown): void {
    if (socket !== this.#socket || !(data instanceof ArrayBuffer)) return;
    clearTimeout(this.#probeTimer);
    this.#probeTimer = undefined;
    this.#expect(SILENCE_MS);
    try {
      this.#handle(new Uint8Array(data));
    } catch (error) {
      // One frame that cannot be used must not end the session; the next sync brings what it held.
      console.error("A frame of the server could not be used.", error);
    }
  }

  #handle(bytes: Uint8Array): void {
    const { doc, awareness } = this.#options;
    const frame = readFrame(bytes);
    switch (frame.kind) {
      case "sync":
        if (frame.step === Step.StateVector) {
          const missing = Y.encodeStateAsUpdate(doc, frame.payload);
          this.#send(syncFrame(Step.Missing, missing));
          this.#offered = true;
          this.#ledger.sent(!isEmptyUpdate(missing));
        } else {
          Y.applyUpdate(doc, frame.payload, this);
          if (frame.step === Step.Missing) {
            this.#synced = true;
            this.#backoff.reset();
          }
        }
        this.#tell();
        break;
      case "awareness":
        applyAwarenessUpdate(awareness, frame.payload, this);
        break;
      case "query-awareness":
        this.#sendPresence();
        break;
      case "denied":
        this.#options.onProblem(frame.reason || "You may read this room, but not change it.");
        break;
      case "control":
        this.#control(JSON.parse(frame.json) as AnyEvent);
        break;
      case "unknown":
        console.warn(`The server sent a frame of type ${frame.type}, which this page does not know.`);
    }
  }

  #control(event: AnyEvent): void {
    switch (event.type) {
      case "saved":
        this.#refused = null;
        this.#ledger.saved(event.count);
        this.#tell();
        return;
      case "not_saved":
        this.#refused = event.reason;
        this.#tell();
        return;
      case "goodbye":
        this.#goodbye = event.reason;
        if (event.retry_ms === null) this.#ended = event.reason;
        else this.#backoff.comeBackAfter(event.retry_ms);
        return;
      case "welcome":
        this.#refused = event.saving ? null : "The server's store refuses to save.";
        this.#tell();
        break;
    }
    if ("id" in event && typeof event.id === "number") {
      const waiting = this.#pending.get(event.id);
      if (waiting) {
        this.#pending.delete(event.id);
        clearTimeout(waiting.timer);
        if (event.type === "error") waiting.reject(refusal(event));
        else waiting.resolve(event);
      }
    } else if (event.type === "error") {
      this.#options.onProblem(event.message);
    }
    this.#options.onEvent(event);
  }

  #closed(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    const { awareness, doc } = this.#options;
    socket.onopen = socket.onmessage = socket.onclose = null;
    this.#socket = null;
    this.#open = this.#synced = this.#offered = false;
    clearTimeout(this.#silenceTimer);
    clearTimeout(this.#probeTimer);
    this.#probeTimer = undefined;
    this.#refused = null;
    if (isFinal(code)) this.#ended ??= this.#goodbye ?? explainClose(code, reason);
    if (code === 1009) this.#options.onProblem(explainClose(code, reason));
    for (const [id, waiting] of this.#pending) {
      this.#pending.delete(id);
      clearTimeout(waiting.timer);
      waiting.reject(new RequestRefused("The connection was lost before the server answered.", "offline"));
    }
    const others = [...awareness.getStates().keys()].filter((client) => client !== doc.clientID);
    removeAwarenessStates(awareness, others, this);
    // What is remembered of their clocks would make us ignore them when they come back with the same one.
    for (const client of others) awareness.meta.delete(client);
    if (this.#ended === null) this.#retryTimer = setTimeout(() => this.connect(), this.#backoff.next());
    this.#tell();
  }

  /** Closes without waiting for the other side, which may be gone. */
  #drop(): void {
    const socket = this.#socket;
    if (!socket) return;
    socket.close();
    this.#closed(socket, 1006, "");
  }

  #expect(ms: number): void {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#drop(), ms);
  }

  readonly #docUpdated = (update: Uint8Array, origin: unknown, _doc: Y.Doc, transaction: Y.Transaction): void => {
    if (origin === this) return;
    if (transaction.local) this.#ledger.edited();
    if (this.#offered) {
      this.#send(syncFrame(Step.Update, update));
      this.#ledger.sent(true);
    }
    this.#tell();
  };

  readonly #awarenessUpdated = (changes: Record<"added" | "updated" | "removed", number[]>, origin: unknown): void => {
    if (origin === this || !this.#open) return;
    const own = this.#options.doc.clientID;
    // Only this page's own presence: what others sent is the server's to spread.
    if ([...changes.added, ...changes.updated, ...changes.removed].includes(own)) this.#sendPresence();
  };

  #sendPresence(): void {
    const { awareness, doc } = this.#options;
    if (awareness.meta.has(doc.clientID)) this.#send(awarenessFrame(encodeAwarenessUpdate(awareness, [doc.clientID])));
  }

  #sendControl(message: AnyRequest): void {
    this.#send(controlFrame(message));
  }

  #send(frame: Uint8Array): void {
    if (this.#socket?.readyState === 1) this.#socket.send(frame);
  }

  #tell(): void {
    this.#options.onSaving(this.saving);
  }
}

function refusal(event: ErrorEvent): RequestRefused {
  return new RequestRefused(event.message, event.code);
}
