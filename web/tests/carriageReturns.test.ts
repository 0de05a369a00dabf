import { EditorState } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { carriageReturns } from "../src/editor/carriageReturns";

function open(doc: string): EditorState {
  return EditorState.create({ doc, extensions: [EditorState.lineSeparator.of("\n"), carriageReturns()] });
}

describe("a file whose lines end with CRLF", () => {
  it("never has the cursor between CR and LF", () => {
    const state = open("a\r\nb\r\n").update({ selection: { anchor: 2 } }).state;
    expect(state.selection.main.head).toBe(1);
  });

  it("gets both for a new line", () => {
    const { state } = open("a\r\nb\r\n").update({ changes: { from: 1, insert: "\nx\n" }, selection: { anchor: 4 } });
    expect(state.sliceDoc()).toBe("a\r\nx\r\n\r\nb\r\n");
    expect(state.selection.main.head).toBe(6);
  });

  it.each([
    ["Delete at the end of a line", 1, 2, "ab\r\n"],
    ["Backspace at the start of a line", 2, 3, "ab\r\n"],
    ["deletion of a line's text to its end", 0, 2, "\r\nb\r\n"],
    ["deletion across lines", 0, 4, "\r\n"],
  ])("stays whole after %s", (_what, from, to, left) => {
    expect(open("a\r\nb\r\n").update({ changes: { from, to } }).state.sliceDoc()).toBe(left);
  });

  it("keeps what already has both", () => {
    const { state } = open("a\r\nb").update({ changes: { from: 4, insert: "\r\nx" } });
    expect(state.sliceDoc()).toBe("a\r\nb\r\nx");
  });
});

it("leaves a file with LF as it is", () => {
  const { state } = open("a\nb\n").update({ changes: { from: 1, insert: "\nx" }, selection: { anchor: 1 } });
  expect(state.sliceDoc()).toBe("a\nx\nb\n");
  expect(state.selection.main.head).toBe(1);
});
