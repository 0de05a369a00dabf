import { describe, expect, it } from "vitest";
import { describeSaving, saveState, type SavingFacts } from "../src/provider/saving";

const settled: SavingFacts = {
  ended: null,
  everConnected: true,
  synced: true,
  online: true,
  waiting: 0,
  unsaved: false,
  refused: null,
};
const say = (facts: Partial<SavingFacts>): string => describeSaving(saveState({ ...settled, ...facts }));

describe("the state of saving", () => {
  it.each([
    [{}, "All changes saved"],
    [{ unsaved: true, waiting: 2 }, "Saving…"],
    [{ synced: false }, "Connecting…"],
    [{ online: false, everConnected: false }, "Connecting…"],
    [{ online: false }, "Offline: 0 edits waiting"],
    [{ online: false, waiting: 1 }, "Offline: 1 edit waiting"],
    [{ online: false, waiting: 7, everConnected: false }, "Offline: 7 edits waiting"],
    [{ refused: "The disk is full.", waiting: 3 }, "Not saved: The disk is full."],
    [{ refused: "The disk is full.", online: false, waiting: 3 }, "Offline: 3 edits waiting"],
    [{ ended: "You are not signed in.", waiting: 2 }, "Disconnected: 2 edits waiting"],
  ])("%j reads %s", (facts, text) => {
    expect(say(facts)).toBe(text);
  });
});
