/**
 * Counts what of this browser's edits is durable on the server.
 *
 * The server counts the sync frames (step 2 and update) that it got on a connection and says up to which
 * of them all is stored. Each frame is therefore remembered with the number of local edits that were sent
 * when it went out. That is right only if the first such frame of a connection is a step 2, which brings
 * all that the server lacks; the provider holds updates back until then.
 */
export class SavingLedger {
  #edits: number;
  #durable = 0;
  #sent = 0;
  #open: { number: number; edits: number; carries: boolean }[] = [];

  /** `waiting` is the number of edits that an earlier visit left unsaved. */
  constructor(waiting = 0) {
    this.#edits = waiting;
  }

  /** A person made an edit here. */
  edited(): void {
    this.#edits += 1;
  }

  /** A new connection: the server counts from nothing. */
  connected(): void {
    this.#sent = 0;
    this.#open = [];
  }

  /** A sync frame (step 2 or update) went out; `carries` says whether it holds anything. */
  sent(carries: boolean): void {
    this.#sent += 1;
    this.#open.push({ number: this.#sent, edits: this.#edits, carries });
  }

  /** The server says that the first `count` frames of this connection are durable. */
  saved(count: number): void {
    let first = this.#open[0];
    while (first && first.number <= count) {
      this.#durable = Math.max(this.#durable, first.edits);
      this.#open.shift();
      first = this.#open[0];
    }
  }

  /** Local edits that are not known to be durable. */
  get waiting(): number {
    return this.#edits - this.#durable;
  }

  /** Whether anything that this browser brought is not known to be durable. */
  get unsaved(): boolean {
    return this.waiting > 0 || this.#open.some((frame) => frame.carries);
  }
}
