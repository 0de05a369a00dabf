import { describe, expect, it } from "vitest";
import { Backoff } from "../src/provider/backoff";
import { explainClose, isFinal } from "../src/provider/closing";

describe("Backoff", () => {
  it("doubles up to its bound", () => {
    const backoff = new Backoff(() => 1, 100, 1_000);
    expect(Array.from({ length: 6 }, () => backoff.next())).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it("spreads attempts over the upper half of the delay", () => {
    expect(new Backoff(() => 0, 100, 1_000).next()).toBe(50);
  });

  it("starts anew after a connection that worked", () => {
    const backoff = new Backoff(() => 1, 100, 1_000);
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it("comes back when the server said, once", () => {
    const backoff = new Backoff(() => 0, 100, 1_000);
    backoff.comeBackAfter(3_000);
    expect(backoff.next()).toBe(3_000);
    expect(backoff.next()).toBe(50);
  });
});

describe("close codes", () => {
  it.each([
    [4399, false],
    [4400, true],
    [4403, true],
    [4499, true],
    [4500, false],
    [1012, false],
  ])("%i is final: %s", (code, final) => {
    expect(isFinal(code)).toBe(final);
  });

  it("says the server's reason where there is one", () => {
    expect(explainClose(4403, "Ask the owner.")).toBe("Ask the owner.");
    expect(explainClose(4403, "")).toBe("You are not allowed to open this room.");
  });
});
