import { describe, expect, it } from "vitest";
import { lineStart, marked, placesOf } from "../src/search/hits";

describe("what a search found", () => {
  it("is a list of lines, with the name of each file and why it was found once", () => {
    const places = placesOf([
      { file: "f1", path: "a.py", score: 2, why: "it defines x", lines: [{ line: 3, text: "x" }, { line: 9, text: "y" }] },
      { file: "f2", path: "b.py", score: 1, why: "", lines: [] },
    ]);
    expect(places.map(({ path, line, why }) => [path, line, why])).toEqual([
      ["a.py", 3, "it defines x"],
      ["a.py", 9, null],
      ["b.py", null, ""],
    ]);
  });

  it("opens where its line begins", () => {
    expect([1, 2, 3].map((line) => lineStart("a\nbc\nd", line))).toEqual([0, 2, 5]);
    expect(lineStart("a\nbc", 9)).toBe(4);
  });

  it("marks the words of the question, whatever they are made of", () => {
    expect(marked("Call open(path) now", "open( path")).toEqual(["Call ", "open(", "", "path", ") now"]);
    expect(marked("OPEN and reopen", "open")).toEqual(["", "OPEN", " and re", "open", ""]);
    expect(marked("a b", "a")).toEqual(["a b"]);
  });
});
