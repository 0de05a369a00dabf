import { describe, expect, it } from "vitest";
import { SavingLedger } from "../src/provider/ledger";

describe("SavingLedger", () => {
  it("has nothing to save at first", () => {
    const ledger = new SavingLedger();
    expect(ledger.waiting).toBe(0);
    expect(ledger.unsaved).toBe(false);
  });

  it("counts edits until the frame that brought them is durable", () => {
    const ledger = new SavingLedger();
    ledger.connected();
    ledger.sent(false);
    ledger.edited();
    ledger.sent(true);
    ledger.edited();
    ledger.sent(true);
    expect(ledger.waiting).toBe(2);
    ledger.saved(2);
    expect(ledger.waiting).toBe(1);
    ledger.saved(3);
    expect(ledger.waiting).toBe(0);
    expect(ledger.unsaved).toBe(false);
  });

  it("takes an edit that was never sent for unsaved", () => {
    const ledger = new SavingLedger();
    ledger.connected();
    ledger.sent(false);
    ledger.edited();
    ledger.saved(1);
    expect(ledger.waiting).toBe(1);
  });

  it("counts frames anew on each connection", () => {
    const ledger = new SavingLedger();
    ledger.connected();
    ledger.sent(false);
    ledger.edited();
    ledger.sent(true);
    ledger.edited();
    ledger.connected();
    ledger.sent(true);
    expect(ledger.waiting).toBe(2);
    ledger.saved(1);
    expect(ledger.waiting).toBe(0);
  });

  it("saves what an earlier visit left with the first step 2", () => {
    const ledger = new SavingLedger(5);
    expect(ledger.waiting).toBe(5);
    ledger.connected();
    ledger.sent(true);
    ledger.saved(1);
    expect(ledger.waiting).toBe(0);
  });

  it("waits for content of a step 2 that no edit here made", () => {
    const ledger = new SavingLedger();
    ledger.connected();
    ledger.sent(true);
    expect(ledger.unsaved).toBe(true);
    ledger.saved(1);
    expect(ledger.unsaved).toBe(false);
  });

  it("never goes back when the server repeats a count", () => {
    const ledger = new SavingLedger();
    ledger.connected();
    ledger.sent(false);
    ledger.edited();
    ledger.sent(true);
    ledger.saved(2);
    ledger.saved(1);
    expect(ledger.waiting).toBe(0);
  });
});
