/** Delays between attempts to connect: exponential, with jitter so that clients do not come back all at once. */
export class Backoff {
  #attempt = 0;
  #fixed: number | null = null;

  constructor(
    private readonly random: () => number = Math.random,
    private readonly firstMs = 250,
    private readonly maxMs = 10_000,
  ) {}

  /** Milliseconds until the next attempt; each call is one attempt. */
  next(): number {
    if (this.#fixed !== null) {
      const fixed = this.#fixed;
      this.#fixed = null;
      // The server spreads reconnects by the value itself; a little jitter parts clients that got the same.
      return fixed * (1 + 0.2 * this.random());
    }
    const ceiling = Math.min(this.maxMs, this.firstMs * 2 ** this.#attempt);
    this.#attempt += 1;
    return ceiling * (0.5 + 0.5 * this.random());
  }

  /** The server said when to come back. */
  comeBackAfter(ms: number): void {
    this.#fixed = Math.max(0, ms);
  }

  /** A connection worked. */
  reset(): void {
    this.#attempt = 0;
    this.#fixed = null;
  }
}
