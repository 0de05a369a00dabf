import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { cameSecond, collision, outcome } from "../src/ai/words";
import type { Suggestion } from "../src/messages";
import { byFile, counts, neighbour, nextOpen } from "../src/review/grouping";
import { LiveTexts } from "../src/review/liveTexts";
import { emptied, liveOf, rangeIn } from "../src/review/place";
import { threeSides, type Piece, type Row } from "../src/review/threeSides";
import { readMode, settingsMap, writeMode } from "../src/store/roomSettings";

const suggestion = (id: string, more: Partial<Suggestion> = {}): Suggestion => ({
  suggestion: id, job: "j1", file: "f1", path: "a.py", reason: "", kind: "hunk", before: "two\n", current: "two\n",
  after: "2\n", anchor: null, end: null, state: "open", answered_by: null, conflict: "overlapping_edits", layer: "",
  choices: ["accept", "reject", "both", "edit"], at_ms: 0, answered_ms: 0, gone: "", findings: [], ...more,
});

describe("threeSides", () => {
  const marked = (pieces: Piece[]) => pieces.filter((piece) => piece.marked).map((piece) => piece.text);
  const joined = (rows: Row[], side: "base" | "ours" | "theirs") =>
    rows.map((row) => (row.kind === "changed" ? row[side].map((piece) => piece.text).join("") : row.kind === "same" ? row.text : "")).join("");

  it("marks the words in which each side differs from the base", () => {
    const rows = threeSides("a\nkeep this word\nz\n", "a\nkeep that word\nz\n", "a\nkeep this term\nz\n");
    expect(rows.map((row) => row.kind)).toEqual(["same", "changed", "same"]);
    const row = rows[1]!;
    if (row.kind !== "changed") throw new Error("not changed");
    expect(row.by).toBe("both");
    expect([marked(row.base), marked(row.ours), marked(row.theirs)]).toEqual([["this", "word"], ["that"], ["term"]]);
  });

  it("keeps changes of different lines apart and says whose they are", () => {
    const rows = threeSides("a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\n");
    expect(rows.map((row) => (row.kind === "changed" ? row.by : row.kind))).toEqual(["ours", "same", "theirs"]);
  });

  it("says that both made the same change", () => {
    const rows = threeSides("a\nb\n", "a\nB\n", "a\nB\n");
    expect(rows.at(-1)).toMatchObject({ kind: "changed", by: "agreed" });
  });

  it("shows all of three texts, whatever they are", () => {
    const texts = ["", "x", "x\n", "x\ny\nz", "y\nx\n", "new\nx\ny\n", "x\nnew\nz\n\n", "\n\nz"];
    for (const base of texts) {
      for (const ours of texts) {
        for (const theirs of texts) {
          const rows = threeSides(base, ours, theirs);
          expect([joined(rows, "base"), joined(rows, "ours"), joined(rows, "theirs")]).toEqual([base, ours, theirs]);
        }
      }
    }
  });

  it("folds long stretches that all have", () => {
    const many = Array.from({ length: 30 }, (_, index) => `${index}\n`).join("");
    const rows = threeSides(`a\n${many}b\n`, `A\n${many}b\n`, `a\n${many}B\n`);
    expect(rows.map((row) => row.kind)).toEqual(["changed", "same", "folded", "same", "changed"]);
    expect(rows[2]).toEqual({ kind: "folded", count: 26 });
  });

  it("compares a rewrite of a large file without stopping the page", () => {
    const lines = (word: string) => Array.from({ length: 10_000 }, (_, index) => `${word} ${index}\n`).join("");
    const rows = threeSides(lines("old"), `${lines("old")}end\n`, lines("new"));
    expect(joined(rows, "theirs")).toBe(lines("new"));
  });
});

describe("the place of a suggestion", () => {
  function room(content: string) {
    const doc = new Y.Doc();
    const entry = new Y.Map<unknown>();
    const text = new Y.Text(content);
    entry.set("path", "a.py");
    entry.set("text", text);
    doc.getMap("files").set("f1", entry);
    const at = (index: number, assoc: number) =>
      btoa(String.fromCharCode(...Y.encodeRelativePosition(Y.createRelativePositionFromTypeIndex(text, index, assoc))));
    const found = suggestion("s1", { anchor: at(4, 0), end: at(8, -1) });
    return { doc, text, found, read: new LiveTexts(doc).read };
  }

  it("follows what is typed before it and in it", () => {
    const { doc, text, found, read } = room("one\ntwo\nthree\n");
    text.insert(0, "zero\n");
    text.insert(12, ", too");
    expect(rangeIn(found, text)).toEqual({ from: 9, to: 18 });
    expect(liveOf(found, doc, read)).toEqual({ text: "two, too\n", gone: null });
  });

  it("says so when its lines or its file are gone", () => {
    const { doc, text, found, read } = room("one\ntwo\nthree\n");
    text.delete(4, 4);
    const live = liveOf(found, doc, read);
    expect(live.text).toBe("");
    expect(emptied(found, live)).toContain("were deleted meanwhile");
    doc.getMap("files").delete("f1");
    expect(liveOf(found, doc, read).gone).toContain("The file was deleted");
  });

  it("is the end of the file where no end is given", () => {
    const { text, found } = room("one\ntwo\nthree");
    expect(rangeIn({ ...found, end: null }, text)).toEqual({ from: 4, to: 13 });
  });

  it("tells listeners of changed texts and reads them anew", async () => {
    const { doc, text } = room("one");
    const texts = new LiveTexts(doc);
    await new Promise<void>((told) => {
      texts.subscribe(told);
      expect(texts.read("f1")).toBe("one");
      text.insert(3, " more");
      expect(texts.read("f1")).toBe("one more");
    });
    expect(texts.version).toBe(1);
  });
});

describe("the review of a job", () => {
  const all = [
    suggestion("s3", { path: "b.py" }),
    suggestion("s2", { state: "accepted" }),
    suggestion("s1"),
    suggestion("other", { job: "j2" }),
  ];
  const groups = byFile(all, "j1", (one) => Number(one.suggestion.slice(1)));

  it("is by file, and by place within each", () => {
    expect(groups.map((group) => [group.path, group.suggestions.map((one) => one.suggestion), group.open])).toEqual([
      ["a.py", ["s1", "s2"], 1],
      ["b.py", ["s3"], 1],
    ]);
    expect(counts(groups[0]!.suggestions)).toBe("1 to decide, 1 accepted");
  });

  it("goes to the next and the one before, round the end", () => {
    expect([neighbour(groups, "s1", 1), neighbour(groups, "s3", 1), neighbour(groups, "s1", -1)]).toEqual(["s2", "s1", "s3"]);
    expect(neighbour([], null, 1)).toBeNull();
  });

  it("goes on to the next that is open after an answer", () => {
    expect(nextOpen(groups, "s1")).toBe("s3");
    expect(nextOpen(groups, "s3")).toBe("s1");
    expect(nextOpen(byFile([all[1]!], "j1", () => 0), "s2")).toBeNull();
  });
});

it("says in words how a suggestion collided and what became of it", () => {
  expect(collision(suggestion("s", { conflict: "none" }))).toBeNull();
  expect(collision(suggestion("s"))).toBe("Both changed the same lines");
  expect(outcome(suggestion("s", { state: "merged", layer: "tokens" }))).toBe("Merged by itself: the words fit together");
  expect(cameSecond(suggestion("s", { state: "both", answered_by: "Guest 10" }))).toBe(
    "Guest 10 was first (Both kept by Guest 10), so your choice was not taken.",
  );
});

it("reads the room's mode, whatever a client wrote there", () => {
  const doc = new Y.Doc();
  expect(readMode(doc)).toBe("auto");
  writeMode(doc, "ask");
  expect(readMode(doc)).toBe("ask");
  settingsMap(doc).set("mode", { review: true });
  expect(readMode(doc)).toBe("auto");
});
